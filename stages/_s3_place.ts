/** A bucket as a place, as the stages that speak of one declare it. @module */
import type { ConfigView, Json, PlaceDeclaration } from "../core/contract.ts";

/** What both the stage that writes a bucket and those that count on it are told. Sizes in bytes. */
export interface S3PlaceOptions {
  bucket: string;
  prefix: string;
  verify: "auto" | "read-back" | "none";
  part: number;
  transfers: number;
  region?: string;
  endpoint?: string;
  force_path_style?: boolean;
  storage_class?: string;
  ca_file?: string;
  domain?: string;
}

/** Declares the bucket; what an option leaves open is read from `[s3]` of the config. */
export function s3Place(options: S3PlaceOptions, id: string, config: ConfigView): PlaceDeclaration {
  const storageClass = options.storage_class ?? text(config, "storage_class");
  const store: Record<string, Json> = { bucket: options.bucket };
  const region = options.region ?? text(config, "region");
  const endpoint = options.endpoint ?? text(config, "endpoint");
  const caFile = options.ca_file ?? text(config, "ca_file");
  const forcePathStyle = options.force_path_style ?? config.s3?.force_path_style;
  if (region !== undefined) store.region = region;
  if (endpoint !== undefined) store.endpoint = endpoint;
  if (typeof forcePathStyle === "boolean") store.force_path_style = forcePathStyle;
  if (caFile !== undefined) store.ca_file = caFile;
  return {
    kind: "objects",
    id,
    store: "s3",
    options: store,
    prefix: options.prefix,
    domain: options.domain,
    upload: { verify: options.verify, partSize: options.part, parallel: options.transfers, storageClass },
  };
}

function text(config: ConfigView, key: string): string | undefined {
  const value = config.s3?.[key];
  return typeof value === "string" && value !== "" ? value : undefined;
}
