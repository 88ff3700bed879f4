import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

/** What Headlamp loads from a plugin's directory. */
export type PluginFiles = { readonly "main.js": string; readonly "package.json": string };

const MAIN = fileURLToPath(new URL("web/main.tsx", import.meta.url));

/** Made of the sources now. Headlamp runs the script and gives it its own React, so that there is one of it on the page. */
export async function pluginFiles(version: string): Promise<PluginFiles> {
  const { outputFiles } = await build({
    entryPoints: [MAIN],
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    jsx: "automatic",
    loader: { ".css": "text" },
    define: { "process.env.NODE_ENV": '"production"' },
    // What is left of our own packages asks for none of them: the test holds that.
    external: ["node:*"],
    plugins: [fromHeadlamp, inEnglish],
    write: false,
    legalComments: "none",
    // The compiler's settings are for all packages; this is all that the plugin needs.
    tsconfigRaw: "{}",
    logLevel: "silent",
  });
  const manifest = {
    name: "ashlar",
    version,
    description: "What is proved of nodes: level, release, identity, next boot",
    license: "Apache-2.0",
    main: "main.js",
  };
  return { "main.js": outputFiles[0]?.text ?? "", "package.json": `${JSON.stringify(manifest, undefined, 2)}\n` };
}

/** Where Headlamp keeps the modules that plugins share (its own plugin tool's map of globals). */
const GLOBALS: Readonly<Record<string, string>> = {
  "@kinvolk/headlamp-plugin/lib": "pluginLib",
  "@mui/material": "pluginLib.MuiMaterial",
  react: "pluginLib.React",
  "react/jsx-runtime": "pluginLib.ReactJSX",
};

// oxlint-disable require-unicode-regexp -- esbuild, which runs the filters, does not know the flag
const fromHeadlamp: Plugin = {
  name: "from-headlamp",
  setup: (bundler) => {
    bundler.onResolve({ filter: /^(?:react|@kinvolk|@mui)(?:\/|$)/ }, ({ path }) =>
      Object.hasOwn(GLOBALS, path)
        ? { path, namespace: "headlamp" }
        : { errors: [{ text: `expected a module that Headlamp offers, found ${path}` }] },
    );
    bundler.onLoad({ filter: /^/, namespace: "headlamp" }, ({ path }) => ({
      contents: `module.exports = ${GLOBALS[path] ?? ""};`,
    }));
  },
};

/** Most of what Zod would bring along are its messages in fifty languages. */
const inEnglish: Plugin = {
  name: "in-english",
  setup: (bundler) => {
    bundler.onResolve({ filter: /\/locales\/index\.js$/ }, ({ path, importer }) =>
      importer.includes("/node_modules/zod/") ? { path, namespace: "empty" } : undefined,
    );
    bundler.onLoad({ filter: /^/, namespace: "empty" }, () => ({ contents: "export default undefined;" }));
  },
};
