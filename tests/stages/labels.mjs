// ZPL to PNG with other people's renderer: node labels.mjs FOLDER draws NAME.other.png from NAME.zpl for each NAME
// on standard input.
import { webcrypto } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

// Node 18 lacks the global that the renderer looks for, and cannot import it by name.
globalThis.crypto ??= webcrypto;
const { ready } = createRequire(import.meta.url)("zpl-renderer-js");
const BEYOND = 160;
const [folder] = process.argv.slice(2);
const { api } = await ready;
for (const name of readFileSync(0, "utf8").split("\n").filter((line) => line)) {
  const zpl = readFileSync(join(folder, `${name}.zpl`), "utf8");
  const dots = (command) => Number(new RegExp(`\\^${command}(\\d+)`).exec(zpl)[1]);
  // Everything on a label is in dots, here 8 of them to the millimetre. The picture is larger than the label to
  // the right and below, so that what runs off is seen.
  const [wide, long] = [dots("PW") + BEYOND, dots("LL") + BEYOND];
  const open = zpl.replace(/\^PW\d+/, `^PW${wide}`).replace(/\^LL\d+/, `^LL${long}`);
  const png = await api.zplToBase64Async(open, wide / 8, long / 8, 8);
  writeFileSync(join(folder, `${name}.other.png`), Buffer.from(png, "base64"));
}
process.exit(0);
