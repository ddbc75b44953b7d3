// Each class has one home: rules whose selector begins with it stand in one style
// file. A rule about it inside of something else (".cb-logs .cb-button") belongs to
// that file. So the order of the files does not matter, and a view can have its
// own styles loaded with it.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const FOLDERS = ["ui/styles", "page/src"];

// Selectors of a style sheet; those within @media and @container as well.
export function selectors(css) {
    return [...css.replace(/\/\*.*?\*\//gs, "").matchAll(/([^{}]+)\{/g)]
        .map(([, text]) => text.trim())
        .filter((text) => !text.startsWith("@"))
        .flatMap((text) => text.split(/,(?![^()]*\))/))
        .map((text) => text.trim());
}

// The class that a selector begins with: of ".cb-a.cb-b > p", cb-a.
const classOf = (selector) => /^\.(cb-[\w-]+)/.exec(selector)?.[1];

// What any file may set: custom properties of all.
const SHARED = new Set(["cb-root"]);

export function homes(files) {
    const found = new Map();
    for (const [path, css] of files)
        for (const name of new Set(selectors(css).map(classOf)))
            if (name && !SHARED.has(name)) found.set(name, [...(found.get(name) ?? []), path]);
    return found;
}

const files = FOLDERS.flatMap((folder) =>
    readdirSync(join(here, folder))
        .filter((name) => name.endsWith(".css"))
        .map((name) => join(here, folder, name)),
).map((path) => [relative(here, path), readFileSync(path, "utf8")]);

let wrong = 0;
for (const [name, paths] of homes(files))
    if (paths.length > 1) {
        console.error(`.${name} is defined in ${paths.join(" and ")}`);
        wrong++;
    }
process.exit(wrong ? 1 : 0);
