// Made by tools/embed_presets.ts from pipelines/*.toml; edit those.
// deno-fmt-ignore-file

/** Pipelines that come with the program, by name. */
export const EMBEDDED_PRESETS: Readonly<Record<string, string>> = {
  "backup": `#:schema ../schema/pipeline.schema.json
# Copies every idle study to TrueNAS and to S3, proves both copies, records them, then frees the instrument.
#
# Stages run from top to bottom. They may be reordered, left out and added to: \`labferry lint backup\` says at once
# whether the result could lose data, and the engine refuses at run time whatever lint would refuse.
# \`\${section.key}\` reads config.toml. To change this pipeline, save it as pipelines/backup.toml beside config.toml.
name    = "backup"
summary = "Copy idle runs to TrueNAS and S3, then free the instrument"

# Folders below source_root that nobody has written to for idle_days.
[source]
use  = "idle-folders"
with = { root = "\${paths.source_root}", idle = "\${backup.idle_days}d" }

# Once per run, before any study: for example mount the NAS. [hooks] backup is empty unless set.
[[before]]
use  = "hook"
with = { argv = "\${hooks.backup}" }

# The naming standard. A study that breaks it stays where it is and is reported.
[[stage]]
use  = "validate"
with = { standard = "phenocycler" }

# One process at a time per study.
[[stage]]
use = "lock"

# The ledger says that the backup has begun.
[[stage]]
use  = "manifest-append"
with = { status = "in_progress" }

# Copies and hashes in one pass. The id names the place: other stages speak of "truenas".
[[stage]]
use   = "copy"
id    = "truenas"
with  = { to = "\${paths.truenas_root}" }
retry = { attempts = 3, first = "2s" }

# Reads every byte on the NAS again and compares. A copy that was not read back does not count.
[[stage]]
use  = "verify"
with = { place = "truenas" }

# Writes _checksums.sha256 into the study, for anyone with sha256sum.
[[stage]]
use  = "checksum-sidecar"
with = { place = "truenas" }

# verify = "auto": the checksum of the store where the store is known to check, else the object is read back.
[[stage]]
use  = "s3-upload"
id   = "s3"
with = { bucket = "\${s3.bucket}", prefix = "\${s3.prefix}", verify = "auto" }

# The ledger says complete, only when every place is proved and one holds the sidecar.
[[stage]]
use  = "manifest-append"
id   = "record"
with = { status = "complete" }

# Frees the instrument, file by file, each only while two other places hold it proved.
[[stage]]
use  = "delete"
with = { require = { places = 2 } }

# Says in the ledger what failed: failed_validation, failed_truenas (copy, verify, sidecar) or failed_s3.
[[on_item_failed]]
use  = "manifest-append"
with = { status = "failed" }
`,
  "cleanup": `#:schema ../schema/pipeline.schema.json
# Frees TrueNAS when it runs full: evicts the oldest complete backups, one by one, until free_threshold_pct is free
# again. Each only after S3 is proved to hold every file of it. S3 itself is never written to or removed from.
#
# \`labferry cleanup run --dry-run\` shows what would go, in order. To change this pipeline, save it as
# pipelines/cleanup.toml beside config.toml; \`labferry lint cleanup\` says at once whether the result could lose data.
name    = "cleanup"
summary = "Evict the oldest backups from TrueNAS while it is short of space; S3 keeps them"

# Complete backups of the ledger that lie below truenas_root, the oldest first. The free space is measured before each.
[source]
use  = "capacity"
with = { place_root = "\${paths.truenas_root}", below = "\${cleanup.free_threshold_pct}" }

# Once per run: for example mount the NAS. [hooks] cleanup is empty unless set.
[[before]]
use  = "hook"
with = { argv = "\${hooks.cleanup}" }

# One process at a time per backup. The run as a whole holds .cleanup.lock, as a backup does.
[[stage]]
use = "lock"

# Nothing an earlier run knew counts here: every file of the list of checksums whose hash the ledger holds is proved at
# S3 anew, and hashed on TrueNAS. The id names the place that stays.
[[stage]]
use  = "prove-archived"
id   = "s3"
with = { bucket = "\${s3.bucket}", prefix = "\${s3.prefix}", verify = "auto" }

# File by file, each only while S3 holds it proved. The ledger says so before the first and after the last.
[[stage]]
use  = "evict"
with = { require = { places = 1 } }
`,
  "monitor": `#:schema ../schema/pipeline.schema.json
# Follows the log of the instrument and tells people of every error in it. It runs until it is stopped: start it once,
# with the machine. SIGTERM or Ctrl+C ends it at once; the next start goes on where it stopped.
#
# Rotated, emptied and missing logs are no trouble, nor are restarts: what is written while nobody looks is read later.
# To change this pipeline, save it as pipelines/monitor.toml beside config.toml.
name    = "monitor"
summary = "Tell people of errors in the log of the instrument"

# Only records that hold one of the texts in \`find\` are handed on: a further word in error-blocks must stand here, too.
# \`context\` are the kinds of lines of which the nearest one is handed on with each error.
[source]
use  = "log-tail"
with = { path = "\${monitor.log_path}", find = ["ERROR"], context = [
  { find = ["ample", "AMPLE"], pattern = '''(?i:\\bsample(?: ?name| ?id)?)\\s*[:=]\\s*["']?[^"',;\\]\\s]''' },
  { find = ["ycle", "YCLE"], pattern = '''(?i:\\bcycle)\\s*(?:[:=#]\\s*)?\\d''' },
] }

# An error is a line with a timestamp and the word ERROR, up to the next line with a timestamp.
[[stage]]
use = "error-blocks"

# Adds the sample and the cycle that the nearest lines before the error name.
[[stage]]
use  = "error-context"
with = { patterns = [
  '''(?i:\\bsample(?: ?name| ?id)?)\\s*[:=]\\s*["']?(?<sample>[^"',;\\]\\s]+)''',
  '''(?i:\\bcycle)\\s*(?:[:=#]\\s*)?(?<cycle>\\d+)''',
] }

# The same error is told once in sent_keep_days: the same first 200 characters, whatever its timestamps.
[[stage]]
use  = "drop-repeats"
with = { window = "\${monitor.sent_keep_days}d" }

# One event for each error. Who hears of it stands in recipients/fusion_error.txt.
[[stage]]
use  = "raise-event"
with = { event = "fusion_error" }
`,
  "notify": `#:schema ../schema/pipeline.schema.json
# Tells people of what happened: every event that a command queued, once it is known who wants to hear of it.
#
# Each command runs this at its end, for at most 30 s, where [notify] enabled is true and the credentials are there.
# What the server did not take stays queued for the next command. Who hears what stands in recipients/<event>.txt
# beside config.toml, one address a line: \`labferry notify list-subscribers\` shows it, \`labferry notify test\` tries it.
# To change this pipeline, save it as pipelines/notify.toml beside config.toml.
name    = "notify"
summary = "Tell people of failures and warnings"

# Events that nobody was told of yet, oldest first.
[source]
use = "outbox"

# recipients/<event>.txt, else recipients/default.txt. An event nobody subscribed to ends here.
[[stage]]
use  = "recipients"
with = { folder = "\${notify.recipients_dir}" }

# labferry's own warnings come in swarms: one of a kind is enough.
[[stage]]
use  = "cooldown"
with = { events = ["toolkit_error"], window = "\${notify.toolkit_error_cooldown_seconds}s" }

# What happened, to what, since when, what to do now.
[[stage]]
use = "render"

# E-mail with the settings of [notify.smtp]. Instead, or in further stages with an id each:
#   with = { via = "slack" }
#   with = { via = "webhook", options = { url = "https://alerts.lab.example/labferry" } }
[[stage]]
use     = "notify"
with    = { via = "email" }
timeout = "45s"
`,
};
