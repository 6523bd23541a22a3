// Made by tools/embed_presets.ts from pipelines/*.case.toml; edit those.
// deno-fmt-ignore-file

/** Cases of the pipelines that come with the program, by name. */
export const EMBEDDED_CASES: Readonly<Record<string, string>> = {
  "backup.archived_and_freed": `#:schema ../schema/case.schema.json
summary = "an idle study is archived and leaves the instrument; a second run does nothing"

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"

[studies.20260116_lin_tonsil_panel2]
fixture  = "phenocycler"
days_old = 3 # not idle yet

[[run]]
exit_code = 0
hooks     = []

[run.items.20260115_lin_tonsil_panel1]
outcome = "done"
stages  = { validate = "done", truenas = "done", verify = "done", s3 = "done", record = "done", delete = "done" }

[[run]]
exit_code = 0
items     = {}

[end]
source = ["20260116_lin_tonsil_panel2/"]
nas    = ["20260115_lin_tonsil_panel1/"]
bucket = ["20260115_lin_tonsil_panel1/"]

[end.ledger]
20260115_lin_tonsil_panel1 = { status = "complete", deleted = true }
`,
  "backup.byte_flipped_on_nas": `#:schema ../schema/case.schema.json
summary = "a bit that flips on the NAS between copy and verify keeps the study on the instrument"

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"

[[run]]
exit_code = 1

[run.items.20260115_lin_tonsil_panel1]
outcome = "failed"
stage   = "verify"
error   = "verify/mismatch"
stages  = { truenas = "done", s3 = "not-reached", delete = "not-reached" }

[[run.meanwhile]]
after = "truenas"
flip  = ["nas/20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1.xpd"]

[end]
source = ["20260115_lin_tonsil_panel1/"]
bucket = []

[end.ledger]
20260115_lin_tonsil_panel1 = "failed_truenas"
`,
  "backup.clock_set_back": `#:schema ../schema/case.schema.json
summary = "with a clock that is behind what the journal has seen, nothing is deleted"

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"

[[run]]
exit_code = 1
items     = { 20260115_lin_tonsil_panel1 = { outcome = "failed", stage = "delete", error = "destroy/clock" } }

[[run.meanwhile]]
after = "record"
clock = "-2h"

[end]
source = ["20260115_lin_tonsil_panel1/"]
nas    = ["20260115_lin_tonsil_panel1/"]
bucket = ["20260115_lin_tonsil_panel1/"]

[end.ledger]
20260115_lin_tonsil_panel1 = "complete"
`,
  "backup.dry_run": `#:schema ../schema/case.schema.json
summary = "a dry run starts no hook, writes nothing, and says what would be done"

[config.hooks]
backup = ["mount-nas"]

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"

[studies.notes_of_monday]
files = { "notes.txt" = "bread, milk" }

[[run]]
dry_run   = true
exit_code = 1
hooks     = []

[run.items]
20260115_lin_tonsil_panel1 = "done"
notes_of_monday = { outcome = "failed", stage = "validate" }

[end]
source = ["20260115_lin_tonsil_panel1/", "notes_of_monday/"]
nas    = []
bucket = []
ledger = {}
`,
  "backup.file_added_after_copy": `#:schema ../schema/case.schema.json
summary = "a file that arrives after the copy stops the record, and a later run takes it along"

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"

[[run]]
exit_code = 1

[run.items.20260115_lin_tonsil_panel1]
outcome = "failed"
stage   = "record"
error   = "item/source-changed"

[[run.meanwhile]]
after = "s3"
write = { "source/20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1/Scan1/late.tif" = "late" }

[[run]]
days_later = 30
exit_code  = 0
items      = { 20260115_lin_tonsil_panel1 = "done" }

[end]
source = []

[end.nas]
"20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1.xpd"               = "protocol"
"20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1.fpr"               = "report"
"20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1/Scan1/20260115_lin_tonsil_panel1.qptiff"   = "image"
"20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1/Scan1/.temp/tile 1" = "tile"
"20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1/Scan1/late.tif"    = "late"
"20260115_lin_tonsil_panel1/_checksums.sha256"    = { sha256 = "6e098f3e63405578f4f3c7acae801804097a260ff99fdc919a040ea6237611db" }

[end.ledger]
20260115_lin_tonsil_panel1 = { status = "complete", deleted = true }
`,
  "backup.file_changed_after_record": `#:schema ../schema/case.schema.json
summary = "a file that changes after the record is not deleted, and its name is refused from then on"

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"

[[run]]
exit_code = 1

[run.items.20260115_lin_tonsil_panel1]
outcome = "failed"
stage   = "delete"
error   = "destroy/source-changed"

[[run.meanwhile]]
after = "record"
write = { "source/20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1.xpd" = "protocol, edited" }

[[run]]
days_later = 30
exit_code  = 1
items      = { 20260115_lin_tonsil_panel1 = { outcome = "failed", error = "item/name-reused" } }

[end]
nas    = ["20260115_lin_tonsil_panel1/"]
bucket = ["20260115_lin_tonsil_panel1/"]

[end.source]
"20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1.xpd"                = "protocol, edited"
"20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1.fpr"                = "report"
"20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1/Scan1/20260115_lin_tonsil_panel1.qptiff"    = "image"
"20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1/Scan1/.temp/tile 1" = "tile"

[end.ledger]
20260115_lin_tonsil_panel1 = "complete"
`,
  "backup.file_removed_after_copy": `#:schema ../schema/case.schema.json
summary = "a file that goes from the instrument after the copy stops the record"

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"

[[run]]
exit_code = 1
items     = { 20260115_lin_tonsil_panel1 = { outcome = "failed", stage = "record", error = "item/source-changed" } }

[[run.meanwhile]]
after  = "s3"
remove = ["source/20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1.fpr"]

[end]
source = [
  "20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1.xpd",
  "20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1/Scan1/20260115_lin_tonsil_panel1.qptiff",
  "20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1/Scan1/.temp/tile 1",
]
`,
  "backup.journal_lost": `#:schema ../schema/case.schema.json
summary = "without the journal everything is proved again before anything is deleted"

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"

[[run]]
exit_code = 1
error     = "run/place-lost"

[run.items.20260115_lin_tonsil_panel1]
outcome = "failed"
stage   = "s3"
error   = "s3/unreachable"

[[run.meanwhile]]
before  = "s3"
s3_down = 1000

[[run]]
exit_code = 0

[run.items.20260115_lin_tonsil_panel1]
outcome = "done"
stages  = { verify = "done", checksum-sidecar = "skipped", s3 = "done", delete = "done" }

[[run.meanwhile]]
lose_journal = true

[end]
source = []
nas    = ["20260115_lin_tonsil_panel1/"]
bucket = ["20260115_lin_tonsil_panel1/"]

[end.ledger]
20260115_lin_tonsil_panel1 = { status = "complete", deleted = true }
`,
  "backup.killed_while_deleting": `#:schema ../schema/case.schema.json
summary = "a run that is killed in the middle of the delete is taken up there by the next one"

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"

[[run]]
exit_code = "crash"

[run.end]
source = ["20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1/Scan1/20260115_lin_tonsil_panel1.qptiff", "20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1/Scan1/.temp/tile 1"] # half of it
nas    = ["20260115_lin_tonsil_panel1/"]

[run.end.ledger]
20260115_lin_tonsil_panel1 = "complete"

[[run.meanwhile]]
gone  = "source/20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1.xpd"
crash = "kill"

[[run]]
exit_code = 0
items     = { 20260115_lin_tonsil_panel1 = "done" }

[end]
source = []
nas    = ["20260115_lin_tonsil_panel1/"]
bucket = ["20260115_lin_tonsil_panel1/"]

[end.ledger]
20260115_lin_tonsil_panel1 = { status = "complete", deleted = true }
`,
  "backup.large_answer_lost": `#:schema ../schema/case.schema.json
summary = "of an object in parts the last answer is lost, and the power fails: it is there once, and whole"

[options.s3]
part = "5 MiB"

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"
files   = { "20260115_lin_tonsil_panel1/Scan1/large.qptiff" = { size = "11 MiB" } }

[[run]]
exit_code = "crash"

[[run.meanwhile]]
before = "s3"
steps  = 40
crash  = "power"

[[run]]
exit_code = 0
items     = { 20260115_lin_tonsil_panel1 = "done" }

[[run.meanwhile]]
s3_lost_response = { request = "completeUpload", of = "bucket/20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1/Scan1/large.qptiff" }

[end]
source = []
nas    = ["20260115_lin_tonsil_panel1/"]
bucket = ["20260115_lin_tonsil_panel1/"]

[end.ledger]
20260115_lin_tonsil_panel1 = { status = "complete", deleted = true }
`,
  "backup.name_returns_with_other_bytes": `#:schema ../schema/case.schema.json
summary = "a study whose name was completed before and returns with other bytes is refused"

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"

[[run]]
exit_code = 0
items     = { 20260115_lin_tonsil_panel1 = "done" }

[[run]]
exit_code = 0
items     = {}

[[run.meanwhile]]
write = { "source/20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1.xpd" = "another study", "source/20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1/Scan1/20260115_lin_tonsil_panel1.qptiff" = "image" }

[[run]]
days_later = 30
exit_code  = 1
items      = { 20260115_lin_tonsil_panel1 = { outcome = "failed", error = "item/name-reused" } }

[end]
source = ["20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1.xpd", "20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1/Scan1/20260115_lin_tonsil_panel1.qptiff"]
nas    = ["20260115_lin_tonsil_panel1/"]
bucket = ["20260115_lin_tonsil_panel1/"]

[end.ledger]
20260115_lin_tonsil_panel1 = { status = "complete", deleted = true }
`,
  "backup.nas_full": `#:schema ../schema/case.schema.json
summary = "a full NAS fails the study and leaves nothing half under its name; with room again it is archived"

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"
files   = { "20260115_lin_tonsil_panel1/Scan1/large.tif" = { size = "1 MiB" } }

[[run]]
exit_code = 1
items     = { 20260115_lin_tonsil_panel1 = { outcome = "failed", stage = "truenas", error = "io/disk-full" } }

[run.end]
source = ["20260115_lin_tonsil_panel1/"]
nas    = []

[[run.meanwhile]]
before = "truenas"
fill   = "nas"

[[run]]
exit_code = 0
items     = { 20260115_lin_tonsil_panel1 = "done" }

[[run.meanwhile]]
make_room = "nas"

[end]
source = []
nas    = ["20260115_lin_tonsil_panel1/"]
bucket = ["20260115_lin_tonsil_panel1/"]

[end.ledger]
20260115_lin_tonsil_panel1 = { status = "complete", deleted = true }
`,
  "backup.nas_lost_midway": `#:schema ../schema/case.schema.json
summary = "a NAS that goes away behind the copy ends the run; nothing is written into the empty folder"

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"

[studies.20260116_kim_liver_panel1]
fixture = "phenocycler"

[[run]]
exit_code = 1
error     = "place/changed"
items     = { 20260115_lin_tonsil_panel1 = "failed" }

[[run.meanwhile]]
after   = "truenas"
unmount = "nas"

[[run]]
exit_code = 0

[run.items]
20260115_lin_tonsil_panel1 = "done"
20260116_kim_liver_panel1 = "done"

[[run.meanwhile]]
remount = "nas"

[end]
source = []
nas    = ["20260115_lin_tonsil_panel1/", "20260116_kim_liver_panel1/"]
bucket = ["20260115_lin_tonsil_panel1/", "20260116_kim_liver_panel1/"]

[end.ledger]
20260115_lin_tonsil_panel1 = { status = "complete", deleted = true }
20260116_kim_liver_panel1 = { status = "complete", deleted = true }
`,
  "backup.nas_unmounted": `#:schema ../schema/case.schema.json
summary = "an unmounted NAS is an empty folder: the run ends before a byte is written, and the next one does the work"

[config.hooks]
backup = ["mount-nas", "--now"]

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"

[[run]]
exit_code = 2
error     = "place/not-marked"
items     = {}
hooks     = [["mount-nas", "--now"]] # recorded, never run

[[run.meanwhile]]
unmount = "nas"

[[run]]
exit_code = 0
items     = { 20260115_lin_tonsil_panel1 = "done" }

[[run.meanwhile]]
remount = "nas"

[end]
source = []
nas    = ["20260115_lin_tonsil_panel1/"]

[end.ledger]
20260115_lin_tonsil_panel1 = { status = "complete", deleted = true }
`,
  "backup.one_bad_study": `#:schema ../schema/case.schema.json
summary = "a misnamed study fails alone, the other is archived"

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"

[studies.notes_of_monday]
files = { "notes.txt" = "bread, milk" }

[[run]]
exit_code = 1

[run.items]
20260115_lin_tonsil_panel1 = "done"
notes_of_monday = { outcome = "failed", stage = "validate", error = "validate/nonconforming" }

[end]
source = ["notes_of_monday/"]
nas    = ["20260115_lin_tonsil_panel1/"]
bucket = ["20260115_lin_tonsil_panel1/"]

[end.ledger]
20260115_lin_tonsil_panel1 = { status = "complete", deleted = true }
notes_of_monday = "failed_validation"
`,
  "backup.power_lost_while_copying": `#:schema ../schema/case.schema.json
summary = "power that is lost in the middle of the copy loses nothing, and the next run finishes"

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"

[[run]]
exit_code = "crash"

[run.end]
source = ["20260115_lin_tonsil_panel1/"]
nas    = []

[[run.meanwhile]]
there = "nas/20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1.xpd"
crash = "power"

[[run]]
exit_code = 0
items     = { 20260115_lin_tonsil_panel1 = "done" }

[end]
source = []
nas    = ["20260115_lin_tonsil_panel1/"]
bucket = ["20260115_lin_tonsil_panel1/"]

[end.ledger]
20260115_lin_tonsil_panel1 = { status = "complete", deleted = true }
`,
  "backup.s3_answer_lost": `#:schema ../schema/case.schema.json
summary = "an object whose answer was lost is not sent for nothing, and is proved before anything is deleted"

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"

[[run]]
exit_code = 0
items     = { 20260115_lin_tonsil_panel1 = "done" }

[[run.meanwhile]]
before           = "s3"
s3_lost_response = { request = "put", of = "bucket/20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1.xpd" }

[end]
source = []
bucket = ["20260115_lin_tonsil_panel1/"]

[end.ledger]
20260115_lin_tonsil_panel1 = { status = "complete", deleted = true }
`,
  "backup.s3_down": `#:schema ../schema/case.schema.json
summary = "a store that stays away fails the study, which stays on the instrument; the next run finishes it"

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"

[[run]]
exit_code = 1
error     = "run/place-lost"

[run.items.20260115_lin_tonsil_panel1]
outcome = "failed"
stage   = "s3"
error   = "s3/unreachable"
stages  = { verify = "done", delete = "not-reached" }

[[run.meanwhile]]
before  = "s3"
s3_down = 1000

[[run]]
exit_code = 0

[run.items.20260115_lin_tonsil_panel1]
outcome = "done"

[end]
source = []
nas    = ["20260115_lin_tonsil_panel1/"]
bucket = ["20260115_lin_tonsil_panel1/"]

[end.ledger]
20260115_lin_tonsil_panel1 = { status = "complete", deleted = true }
`,
  "backup.second_host": `#:schema ../schema/case.schema.json
summary = "two instruments archive to one NAS at the same time: one run at a time, each study once"

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"

[studies.20260120_kim_liver_panel1]
fixture    = "phenocycler"
other_host = true

[[run]]
exit_code = 0
items     = { 20260115_lin_tonsil_panel1 = "done" }

[[run.meanwhile]]
after      = "truenas"
other_host = { exit_code = 2 } # the NAS is at work

[[run]]
exit_code = 0
items     = {}

[[run.meanwhile]]
other_host = { exit_code = 0 }

[end]
source = []
other  = []
nas    = ["20260115_lin_tonsil_panel1/", "20260120_kim_liver_panel1/"]
bucket = ["20260115_lin_tonsil_panel1/", "20260120_kim_liver_panel1/"]

[end.ledger]
20260115_lin_tonsil_panel1 = { status = "complete", deleted = true }
20260120_kim_liver_panel1 = { status = "complete", deleted = true }
`,
  "cleanup.backup_at_work": `#:schema ../schema/case.schema.json
summary = "while another host archives to the NAS, nothing is evicted from it"
nas_size = "4 MiB"

[config.cleanup]
free_threshold_pct = 75

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"
files   = { "20260115_lin_tonsil_panel1/Scan1/tiles.bin" = { size = "600 KiB" } }

[studies.20260120_kim_liver_panel1]
fixture    = "phenocycler"
files      = { "20260120_kim_liver_panel1/Scan1/tiles.bin" = { size = "600 KiB" } }
other_host = true

[[run]]
pipeline  = "backup"
exit_code = 0
items     = { 20260115_lin_tonsil_panel1 = "done" }

[[run]]
pipeline  = "backup"
exit_code = 0
items     = {}

[[run.meanwhile]]
other_host = { pipeline = "backup", exit_code = 0 }

[[run]]
exit_code = 0
items     = { 20260115_lin_tonsil_panel1 = "done" }

[[run.meanwhile]]
after      = "s3"
item       = "20260115_lin_tonsil_panel1"
other_host = { pipeline = "backup", exit_code = 2 }

[end]
nas    = ["20260120_kim_liver_panel1/"]
bucket = ["20260115_lin_tonsil_panel1/", "20260120_kim_liver_panel1/"]

[end.ledger]
20260115_lin_tonsil_panel1 = { status = "complete", deleted = true, evicted = true }
20260120_kim_liver_panel1 = { status = "complete", deleted = true }
`,
  "cleanup.killed_while_evicting": `#:schema ../schema/case.schema.json
summary = "an eviction that was cut off is taken up first by the next run"
nas_size = "1 MiB"

[config.cleanup]
free_threshold_pct = 50

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"
files   = { "20260115_lin_tonsil_panel1/Scan1/tiles.bin" = { size = "600 KiB" } }

[[run]]
pipeline  = "backup"
exit_code = 0
items     = { 20260115_lin_tonsil_panel1 = "done" }

[[run]]
exit_code = "crash"

[run.end]
nas = [ # what was not gone yet
  "20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1/Scan1/20260115_lin_tonsil_panel1.qptiff",
  "20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1/Scan1/.temp/tile 1",
  "20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1/Scan1/tiles.bin",
  "20260115_lin_tonsil_panel1/_checksums.sha256",
]
bucket = ["20260115_lin_tonsil_panel1/"]

[[run.meanwhile]]
gone  = "nas/20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1.xpd"
crash = "kill"

[[run]]
exit_code = 0
items     = { 20260115_lin_tonsil_panel1 = "done" }

[end]
nas    = []
bucket = ["20260115_lin_tonsil_panel1/"]

[end.ledger]
20260115_lin_tonsil_panel1 = { status = "complete", deleted = true, evicted = true }
`,
  "cleanup.object_damaged": `#:schema ../schema/case.schema.json
summary  = "where objects are read back, a bit that flipped in the bucket keeps the backup on the NAS"
nas_size = "1 MiB"

[config.cleanup]
free_threshold_pct = 50

[options.s3]
verify = "read-back"

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"
files   = { "20260115_lin_tonsil_panel1/Scan1/tiles.bin" = { size = "600 KiB" } }

[[run]]
pipeline  = "backup"
exit_code = 0
items     = { 20260115_lin_tonsil_panel1 = "done" }

[[run]]
exit_code = 1
error     = "cleanup/not-enough"

[run.items.20260115_lin_tonsil_panel1]
outcome = "failed"
stage   = "s3"
error   = "backup/object-differs"
stages  = { evict = "not-reached" }

[[run.meanwhile]]
flip = ["bucket/20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1.xpd"]

[end]
nas = ["20260115_lin_tonsil_panel1/"]

[end.ledger]
20260115_lin_tonsil_panel1 = { status = "complete", deleted = true }
`,
  "cleanup.object_lost": `#:schema ../schema/case.schema.json
summary = "a backup of which S3 lost an object stays on the NAS, and the run says that it could not free enough"

[config.cleanup]
free_threshold_pct = 100

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"

[[run]]
pipeline  = "backup"
exit_code = 0
items     = { 20260115_lin_tonsil_panel1 = "done" }

[[run]]
exit_code = 1
error     = "cleanup/not-enough"

[run.items.20260115_lin_tonsil_panel1]
outcome = "failed"
stage   = "s3"
error   = "backup/object-missing"
stages  = { evict = "not-reached" }

[[run.meanwhile]]
remove = ["bucket/20260115_lin_tonsil_panel1/20260115_lin_tonsil_panel1.xpd"]

[end]
nas = ["20260115_lin_tonsil_panel1/"]

[end.ledger]
20260115_lin_tonsil_panel1 = { status = "complete", deleted = true }
`,
  "cleanup.oldest_evicted": `#:schema ../schema/case.schema.json
summary  = "a NAS that runs full is freed of the oldest backup that S3 holds, and of no more than needed"
nas_size = "4 MiB"

[config.cleanup]
free_threshold_pct = 40

[studies.20260115_lin_tonsil_panel1]
fixture  = "phenocycler"
days_old = 60
files    = { "20260115_lin_tonsil_panel1/Scan1/tiles.bin" = { size = "1.5 MiB" } }

[studies.20260120_kim_liver_panel1]
fixture  = "phenocycler"
days_old = 2
files    = { "20260120_kim_liver_panel1/Scan1/tiles.bin" = { size = "1.5 MiB" } }

[[run]]
pipeline  = "backup"
exit_code = 0
items     = { 20260115_lin_tonsil_panel1 = "done" }

[[run]]
exit_code = 0 # enough is free
items     = {}

[[run]]
pipeline   = "backup"
days_later = 30
exit_code  = 0
items      = { 20260120_kim_liver_panel1 = "done" }

[[run]]
dry_run   = true
exit_code = 0
items     = { 20260115_lin_tonsil_panel1 = "done" }

[[run]]
exit_code = 0

[run.items.20260115_lin_tonsil_panel1]
outcome = "done"
stages  = { s3 = "done", evict = "done" }

[end]
nas    = ["20260120_kim_liver_panel1/"]
bucket = ["20260115_lin_tonsil_panel1/", "20260120_kim_liver_panel1/"]

[end.ledger]
20260115_lin_tonsil_panel1 = { status = "complete", deleted = true, evicted = true }
20260120_kim_liver_panel1 = { status = "complete", deleted = true }
`,
  "cleanup.s3_down": `#:schema ../schema/case.schema.json
summary = "nothing is evicted while the store does not answer"

[config.cleanup]
free_threshold_pct = 100

[studies.20260115_lin_tonsil_panel1]
fixture = "phenocycler"

[[run]]
pipeline  = "backup"
exit_code = 0
items     = { 20260115_lin_tonsil_panel1 = "done" }

[[run]]
exit_code = 1
error     = "s3/unreachable"

[[run.meanwhile]]
s3_down = 1000

[end]
nas    = ["20260115_lin_tonsil_panel1/"]
bucket = ["20260115_lin_tonsil_panel1/"]

[end.ledger]
20260115_lin_tonsil_panel1 = { status = "complete", deleted = true }
`,
  "monitor.error_told_once": `#:schema ../schema/case.schema.json
summary = "an error of the instrument raises one event, with the sample and the cycle; the same error raises none"

[[run]]
exit_code = 0

[[run.events]]
event   = "fusion_error"
details = { message = "ERROR Pump stalled", sample = "A1", cycle = "7" }

[[run.meanwhile]]
append = { "instrument/Fusion.log" = "[2026-01-02 03:00:00,000] INFO ready\\n" }

[[run.meanwhile]]
waits  = 3
append = { "instrument/Fusion.log" = """
[2026-01-02 03:04:00,000] INFO Sample: A1
[2026-01-02 03:04:01,000] INFO Cycle 7 begins
[2026-01-02 03:04:05,678] ERROR Pump stalled
  at valve 3
[2026-01-02 03:04:06,000] INFO waiting
""" }

[[run.meanwhile]]
waits  = 6
append = { "instrument/Fusion.log" = """
[2026-01-02 03:05:05,123] ERROR Pump stalled
  at valve 3
[2026-01-02 03:05:06,000] INFO waiting
""" }
`,
  "monitor.killed": `#:schema ../schema/case.schema.json
summary = "a monitor that is killed raises after its restart what it had not raised, and nothing twice"

[[run]]
exit_code = "crash"

[[run.meanwhile]]
append = { "instrument/Fusion.log" = "[2026-01-02 03:00:00,000] INFO ready\\n" }

[[run.meanwhile]]
waits  = 2
append = { "instrument/Fusion.log" = "[2026-01-02 03:04:05,678] ERROR Pump stalled\\n[2026-01-02 03:04:06,000] INFO ok\\n" }

[[run.meanwhile]]
after = "drop-repeats"
crash = "kill"

[[run]]
days_later = 1
exit_code  = 0
events     = ["fusion_error"]
`,
  "monitor.log_rotated": `#:schema ../schema/case.schema.json
summary = "what was written before a rotation and while nobody looked is read, each error once"

[[run]]
exit_code = 0
events    = ["fusion_error"]

[[run.meanwhile]]
append = { "instrument/Fusion.log" = "[2026-01-02 03:00:00,000] INFO ready\\n" }

[[run.meanwhile]]
waits  = 2
append = { "instrument/Fusion.log" = "[2026-01-02 03:04:05,678] ERROR Pump stalled\\n" }
move   = { "instrument/Fusion.log" = "instrument/Fusion.log.1" }

[[run.meanwhile]]
waits  = 3
append = { "instrument/Fusion.log" = "[2026-01-02 03:06:00,000] INFO ready\\n" }

[[run]]
exit_code = 0

[[run.events]]
event   = "fusion_error"
details = { message = "ERROR Lamp failed" }

[[run.meanwhile]]
append = { "instrument/Fusion.log" = "[2026-01-02 04:00:00,000] ERROR Lamp failed\\n[2026-01-02 04:00:01,000] INFO ok\\n" }
`,
  "notify.server_away": `#:schema ../schema/case.schema.json
summary = "what the mail server did not take stays queued, and is delivered once by a later run"

[recipients]
default = ["ops@lab.example"]

[[run]]
exit_code = 1
items     = { cleanup_failure = { outcome = "failed", stage = "notify", error = "notify/unreachable" } }
mails     = []

[[run.meanwhile]]
mail_down = 100
raise     = [{ event = "cleanup_failure", details = { exit_code = 1 } }]

[[run]]
exit_code = 0
items     = { cleanup_failure = "done" }
mails     = [{ to = "ops@lab.example", event = "cleanup_failure" }]

[[run]]
exit_code = 0
mails     = []
`,
  "notify.swarm": `#:schema ../schema/case.schema.json
summary = "of a swarm of labferry's own warnings one is told, and of failures every one"

[recipients]
default = ["ops@lab.example"]

[[run]]
exit_code = 0

[run.items]
toolkit_error       = "done"
"toolkit_error (2)" = "dropped"
backup_failure      = "done"
"backup_failure (2)" = "done"

[[run.mails]]
event = "toolkit_error"

[[run.mails]]
event = "backup_failure"

[[run.mails]]
event = "backup_failure"

[[run.meanwhile]]
raise = [
  { event = "toolkit_error", details = { message = "The clock differs" } },
  { event = "toolkit_error", details = { message = "The clock differs" } },
  { event = "backup_failure", details = { exit_code = 1 } },
  { event = "backup_failure", details = { exit_code = 2 } },
]
`,
  "notify.told": `#:schema ../schema/case.schema.json
summary = "an event is mailed to whoever hears of it; one that nobody hears of ends there"

[recipients]
backup_failure = ["ops@lab.example", "pi@lab.example"]

[[run]]
exit_code = 0

[run.items]
backup_failure = "done"
monitor_crash = { outcome = "dropped", why = "nobody is subscribed" }

[[run.mails]]
to      = "ops@lab.example"
event   = "backup_failure"
subject = "backup_failure"

[[run.mails]]
to = "pi@lab.example"

[[run.meanwhile]]
raise = [
  { event = "backup_failure", details = { pipeline = "backup", exit_code = 1 } },
  { event = "monitor_crash" },
]

[[run]]
exit_code = 0
items     = {}
mails     = []
`,
};
