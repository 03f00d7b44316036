// Packages of build/npm for files that lie elsewhere: Node looks for them beside the file.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");
export const MODULES = path.join(ROOT, "build", "npm", "node_modules");

export const load = createRequire(path.join(MODULES, "x.js"));

// A module that 'require' does not take, by its path below node_modules.
export const loadFile = (...names) => import(pathToFileURL(path.join(MODULES, ...names)));

export const readFileOf = (...names) => readFileSync(path.join(MODULES, ...names), "utf8");
