// Bundles the browser files and copies the fonts into r2pflow/web/assets/{vendor,fonts}; same input, same bytes.
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const assets = join(here, "..", "r2pflow", "web", "assets");
const vendor = join(assets, "vendor");
const fonts = join(assets, "fonts");

// family in the package registry -> name of the font file, weights to take
const REGULAR = { "400Regular": "Regular", "700Bold": "Bold" };
const WITH_ITALIC = { ...REGULAR, "400Regular_Italic": "Italic", "700Bold_Italic": "BoldItalic" };
const FAMILIES = {
  "noto-serif": ["NotoSerif", WITH_ITALIC],
  "noto-sans": ["NotoSans", WITH_ITALIC],
  "noto-naskh-arabic": ["NotoNaskhArabic", REGULAR],
  "noto-sans-arabic": ["NotoSansArabic", REGULAR],
  "noto-serif-sc": ["NotoSerifSC", REGULAR],
  "noto-sans-sc": ["NotoSansSC", REGULAR],
};

// Version 0.2.3 of Noto Naskh Arabic has a glyph of its own for each letter. Later ones build letters of shared bases and
// dots, and a PDF set in them shows the right letters but gives the wrong ones when its text is copied or read aloud.
// That version keeps its files in one folder and has no licence file; the one of the same project's other fonts is meant.
const FLAT = { "noto-naskh-arabic": "noto-sans-arabic" };

async function copyFonts() {
  await rm(fonts, { recursive: true, force: true });
  await mkdir(fonts, { recursive: true });
  for (const [name, [file, weights]] of Object.entries(FAMILIES)) {
    const folder = join(modules, "@expo-google-fonts", name);
    for (const [weight, suffix] of Object.entries(weights)) {
      const source = join(folder, name in FLAT ? "" : weight, `${file}_${weight}.ttf`);
      await copyFile(source, join(fonts, `${file}-${suffix}.ttf`));
    }
    const licensed = join(modules, "@expo-google-fonts", FLAT[name] ?? name);
    await copyFile(join(licensed, "LICENSE_FONT"), join(fonts, `${file}-OFL.txt`));
  }
}

function packageOf(input) {
  const match = input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//);
  return match && match[1];
}

async function licenceOf(name) {
  const folder = join(modules, name);
  const about = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? await readFile(join(folder, file), "utf8") : `Licence: ${about.license}\n`;
  return `${name} ${about.version} (${about.license})\n\n${text.trim()}\n`;
}

async function bundle() {
  await rm(vendor, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: here,
    entryPoints: ["src/editor.js", "src/page.js", "src/htmx.js"],
    entryNames: "[name]",
    outdir: vendor,
    bundle: true,
    minify: true,
    format: "iife",
    target: ["chrome109", "firefox115", "safari16.4"],
    charset: "utf8",
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  const names = [...new Set(Object.keys(metafile.inputs).map(packageOf).filter(Boolean))].sort();
  const licences = await Promise.all(names.map(licenceOf));
  await writeFile(join(vendor, "THIRD-PARTY.txt"), licences.join(`\n${"-".repeat(78)}\n\n`));
}

await copyFonts();
await bundle();
