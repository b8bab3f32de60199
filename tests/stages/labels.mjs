// ZPL to PNG with other people's renderer: node labels.mjs FOLDER draws NAME-other.png for each NAME.zpl.
import { webcrypto } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

// Node 18 lacks the global that the renderer looks for, and cannot import it by name.
globalThis.crypto ??= webcrypto;
const { ready } = createRequire(import.meta.url)("zpl-renderer-js");
const [folder] = process.argv.slice(2);
const { api } = await ready;
for (const name of readdirSync(folder).filter((file) => file.endsWith(".zpl"))) {
  const zpl = readFileSync(join(folder, name), "utf8");
  const dots = (command) => Number(new RegExp(`\\^${command}(\\d+)`).exec(zpl)[1]);
  // Everything on a label is in dots; with 8 of them to the millimetre the picture is as large as the label says.
  const png = await api.zplToBase64Async(zpl, dots("PW") / 8, dots("LL") / 8, 8);
  writeFileSync(join(folder, name.replace(/zpl$/, "other.png")), Buffer.from(png, "base64"));
}
process.exit(0);
