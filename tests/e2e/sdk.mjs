// What another client sees in a store, and writes there: the Azure SDK for JavaScript.
//
//   sdk.mjs read CONTAINER            one JSON line per blob, with the SHA-256 of its bytes
//   sdk.mjs write CONTAINER FOLDER    every file of FOLDER, with content type and metadata
//   sdk.mjs pages CONTAINER FOLDER    the same as page blobs; stretches of 64 KiB that are zero are left out
//   sdk.mjs put-pages CONTAINER NAME  a page blob of that name in place of what is there, of 1 MiB, of other bytes
//   sdk.mjs sas CONTAINER             a shared access signature for it, good for an hour
//   sdk.mjs containers                the names of all containers
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import {
  BlobServiceClient,
  ContainerSASPermissions,
} from "../node_modules/@azure/storage-blob/dist/esm/index.js";

const [command, name, folder] = process.argv.slice(2);
const service = BlobServiceClient.fromConnectionString(process.env.AZURE_STORAGE_CONNECTION_STRING);
const container = name && service.getContainerClient(name);

async function ranges(blob, size) {
  if (size === 0) return []; // Azurite has no ranges of nothing
  const answer = await container.getPageBlobClient(blob).getPageRanges(0);
  // This SDK counts from the first byte to the last one, which is one too few.
  return (answer.pageRange ?? []).map((range) => [range.offset, range.count + 1]);
}

async function read() {
  for await (const item of container.listBlobsFlat({ includeMetadata: true })) {
    const blob = container.getBlobClient(item.name);
    const answer = await blob.download();
    const hash = createHash("sha256");
    for await (const piece of answer.readableStreamBody ?? []) hash.update(piece);
    const properties = await blob.getProperties();
    console.log(
      JSON.stringify({
        name: item.name,
        size: item.properties.contentLength,
        sha256: hash.digest("hex"),
        contentType: properties.contentType,
        contentMD5: properties.contentMD5 ? Buffer.from(properties.contentMD5).toString("hex") : null,
        metadata: properties.metadata,
        tier: properties.accessTier ?? null,
        type: properties.blobType,
        ranges: properties.blobType === "PageBlob" ? await ranges(item.name, item.properties.contentLength) : null,
      }),
    );
  }
}

function* files(root) {
  for (const entry of readdirSync(root)) {
    const path = join(root, entry);
    if (statSync(path).isDirectory()) yield* files(path);
    else yield path;
  }
}

async function write() {
  await container.createIfNotExists();
  for (const path of files(folder)) {
    await container.getBlockBlobClient(relative(folder, path)).uploadFile(path, {
      blockSize: 1 << 20,
      maxSingleShotSize: 1 << 20,
      metadata: { writer: "sdk", tag: "a b" },
      blobHTTPHeaders: { blobContentType: "text/x-test" },
    });
  }
}

async function pages() {
  const step = 1 << 16;
  await container.createIfNotExists();
  for (const path of files(folder)) {
    const bytes = readFileSync(path);
    const blob = container.getPageBlobClient(relative(folder, path));
    await blob.create(bytes.length, {
      metadata: { writer: "sdk", tag: "a b" },
      blobHTTPHeaders: { blobContentType: "text/x-test" },
    });
    for (let at = 0; at < bytes.length; at += step) {
      const piece = bytes.subarray(at, at + step);
      if (piece.some((byte) => byte !== 0)) await blob.uploadPages(piece, at, piece.length);
    }
  }
}

async function putPages() {
  const blob = container.getPageBlobClient(folder);
  await blob.create(1 << 20);
  await blob.uploadPages(Buffer.alloc(512, "other"), 0, 512);
}

async function sas() {
  const url = await container.generateSasUrl({
    permissions: ContainerSASPermissions.parse("rwdlac"),
    expiresOn: new Date(Date.now() + 3600 * 1000),
  });
  console.log(new URL(url).search.slice(1));
}

async function containers() {
  for await (const one of service.listContainers()) console.log(one.name);
}

await { read, write, pages, "put-pages": putPages, sas, containers }[command]();
