import { AshlarError } from "@ashlar/base";

const UNITS = "/etc/systemd/system";
/** systemd.unit(5), "[Install]": each names units in whose directory of that ending a link stands. */
const DIRECTORIES: Readonly<Record<string, string>> = {
  WantedBy: "wants",
  RequiredBy: "requires",
  UpheldBy: "upholds",
};

/**
 * The links that `systemctl enable` would make for a unit's [Install] section.
 *
 * @throws AshlarError `invalid` without such a section, or for what only systemctl could do
 */
export function enablingLinks(
  name: string,
  text: string,
  where: string,
): readonly { readonly path: string; readonly target: string }[] {
  if (name.includes("@")) invalid(`${where}.enabled: expected a unit that is no template, found ${name}`);
  let section = "";
  const links: { path: string; target: string }[] = [];
  for (const line of text.split("\n").map((each) => each.trim())) {
    section = /^\[(.+)\]$/u.exec(line)?.[1] ?? section;
    const { key, value } = /^(?<key>[A-Za-z]+)\s*=\s*(?<value>.*)$/u.exec(line)?.groups ?? {};
    if (section !== "Install" || key === undefined || value === undefined) continue;
    for (const word of value.split(/\s+/u).filter((each) => each !== "")) {
      if (!/^[\w:.\\-]+\.[a-z]+$/u.test(word))
        invalid(`${where}.contents, ${key}: expected names of units, found ${word}`);
      const directory = DIRECTORIES[key];
      if (directory !== undefined) links.push({ path: `${UNITS}/${word}.${directory}/${name}`, target: `../${name}` });
      else if (key === "Alias") links.push({ path: `${UNITS}/${word}`, target: name });
      else invalid(`${where}.contents: expected WantedBy, RequiredBy, UpheldBy or Alias in [Install], found ${key}`);
    }
  }
  if (links.length === 0) invalid(`${where}.contents: expected an [Install] section that says what starts ${name}`);
  return links;
}

function invalid(message: string): never {
  throw new AshlarError("invalid", message, { hint: "a confext has the links that enabling makes: leave enabled out" });
}
