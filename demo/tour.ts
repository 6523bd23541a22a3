/**
 * The whole job on made-up studies, in a scratch folder with an S3 endpoint and a mail server of its own: what
 * `labferry demo` shows. The commands are the program's own and the pipelines the shipped ones; only the studies, the
 * size of the NAS, the bucket and the mailboxes are made up.
 * @module
 */
import { archive } from "./tour/archive.ts";
import { fullNas } from "./tour/full_nas.ts";
import { instrumentLog } from "./tour/instrument_log.ts";
import { openLab, type TourOptions } from "./tour/lab.ts";
import { mails } from "./tour/mails.ts";

/**
 * Runs the tour: studies are archived and freed, the NAS runs full and is freed, an error of the instrument is told,
 * and the mails of all this are shown.
 * @returns what was not as it should be; empty when all was
 */
export async function tour(options: TourOptions): Promise<string[]> {
  await using lab = await openLab(options);
  const { made, wrong } = await archive(lab);
  const misnamed = made.filter(({ expect }) => expect === "refused").map(({ name }) => name);
  return [
    ...wrong,
    ...await fullNas(lab),
    ...await instrumentLog(lab),
    ...await mails(lab, misnamed),
  ];
}
