/**
 * Runs the tests of test/webgpu/ on a WebGPU device: by default a software one, the SwiftShader of Debian's Chromium.
 *
 *     npm run test:webgpu [-- [--fetch-driver | --driver <folder> | --own-driver] [part of a file's path ...]]
 *
 * `--fetch-driver` downloads Debian's package and unpacks it into a folder that is deleted at the end; `--driver` names a
 * folder with the driver's files; `--own-driver` takes what the machine has, a real GPU for one.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

/** What Chromium calls the description of its Vulkan driver, and the loader beside it. */
const [DRIVER, LOADER] = ["vk_swiftshader_icd.json", "libvulkan.so.1"];
/** Where Debian's Chromium has them, and the packages they are in; the second in older releases. */
const CHROMIUM = "/usr/lib/chromium";
const PACKAGES = ["chromium-common", "chromium"];
const INSTALL = `apt-get update && apt-get install -y --no-install-recommends ${PACKAGES[0]}`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "fetch-driver": { type: "boolean", default: false },
    "own-driver": { type: "boolean", default: false },
    driver: { type: "string", default: CHROMIUM },
  },
});
const temporary = mkdtempSync(join(tmpdir(), "codistill-webgpu-driver-"));
process.on("exit", () => rmSync(temporary, { recursive: true, force: true }));

/** The folder of the driver, downloaded. */
function fetchDriver(): string {
  for (const name of PACKAGES) {
    execFileSync("apt-get", ["download", name], { cwd: temporary, stdio: ["ignore", "ignore", "inherit"] });
    const [file = ""] = readdirSync(temporary).filter((file) => file.startsWith(`${name}_`));
    execFileSync("dpkg", ["--extract", file, "."], { cwd: temporary });
    const folder = join(temporary, CHROMIUM);
    if (existsSync(join(folder, DRIVER))) return folder;
  }
  throw new Error(`Debian's packages ${PACKAGES.join(" and ")} must hold ${CHROMIUM}/${DRIVER}, and do not.`);
}

/** Makes Vulkan find the driver in a folder, and no other. */
function environmentFor(folder: string): NodeJS.ProcessEnv {
  const [driver, loader] = [join(resolve(folder), DRIVER), join(resolve(folder), LOADER)];
  if (!existsSync(driver)) {
    throw new Error(
      `test:webgpu needs a Vulkan driver, and ${driver} is not there. Install Debian's software driver:\n\n` +
        `    ${INSTALL}\n\nor let it be downloaded into a temporary folder: npm run test:webgpu -- --fetch-driver\n` +
        "or, on a machine with a GPU and its driver: npm run test:webgpu -- --own-driver",
    );
  }
  // Alone in a folder: Chromium has libraries beside it that are not for others.
  const libraries = mkdtempSync(join(temporary, "libraries-"));
  if (existsSync(loader)) symlinkSync(loader, join(libraries, LOADER));
  return {
    VK_ICD_FILENAMES: driver,
    VK_DRIVER_FILES: driver,
    XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? temporary,
    LD_LIBRARY_PATH: [libraries, process.env.LD_LIBRARY_PATH].filter((path) => path).join(":"),
  };
}

const files = readdirSync("dist/test/webgpu")
  .filter((file) => file.endsWith(".webgpu.js"))
  .filter((file) => positionals.length === 0 || positionals.some((part) => file.includes(part)))
  .map((file) => join("dist/test/webgpu", file));
try {
  if (files.length === 0) throw new Error(`no test file matches ${positionals.join(" ")}`);
  const folder = values["fetch-driver"] ? fetchDriver() : values.driver;
  const env = values["own-driver"] ? process.env : { ...process.env, ...environmentFor(folder) };
  // The tests are interrupted too, and the folder goes when they have ended.
  process.on("SIGINT", () => undefined);
  const child = spawn(process.execPath, ["--test", "--test-reporter=spec", ...files], { stdio: "inherit", env });
  child.on("exit", (code) => {
    process.exitCode = code ?? 1;
  });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
