import assert from "node:assert/strict";
import { test } from "node:test";
import { needs } from "@ashlar/base/test-needs";
import { compareNodes } from "../compare/compare-nodes.ts";
import { NodeTable } from "../compare/node-table.ts";
import { makeTree, newDirectory, sh, snapshotOf } from "../test-trees.ts";

const SPEC = (name: string, version: string): string => `Name: ${name}
Version: ${version}
Release: 1
Summary: for a test
License: none
BuildArch: noarch
%description
For a test.
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/etc
echo ${name} ${version} > %{buildroot}/usr/bin/${name}
echo a = 1 > %{buildroot}/etc/${name}.conf
%files
/usr/bin/${name}
%config(noreplace) /etc/${name}.conf
`;

/** Debian's rpm asks for a word more. */
const INSTALL = `
install() {
    mkdir -p "$1/var/lib/rpm"
    root=$(realpath "$1")
    shift
    rpm --force-debian --root "$root" --dbpath /var/lib/rpm --nodeps -i "$@" || rpm --root "$root" --dbpath /var/lib/rpm --nodeps -i "$@"
}
`;

test(
  "packages of rpm, installed by rpm: versions, files, configuration, and what differs",
  { skip: needs("rpm", "rpmbuild") },
  async () => {
    const directory = await makeTree({
      "one.spec": SPEC("one", "1.0"),
      "newer.spec": SPEC("one", "1.1"),
      "two.spec": SPEC("two", "2.0"),
    });
    const home = await newDirectory();
    sh(
      `exec >&2; export HOME=${home}
for spec in one newer two; do rpmbuild --quiet --define "_topdir $PWD/$spec" -bb $spec.spec; done
${INSTALL}
install a one/RPMS/noarch/*.rpm two/RPMS/noarch/*.rpm
install b newer/RPMS/noarch/*.rpm two/RPMS/noarch/*.rpm
echo a = 2 > b/etc/two.conf; echo changed > b/usr/bin/two; echo left > b/usr/bin/tcpdump`,
      directory,
    );
    const [a, b] = [await snapshotOf(`${directory}/a`), await snapshotOf(`${directory}/b`)];
    assert.deepEqual(Object.fromEntries(a.packages), { "one.noarch": "0:1.0-1", "two.noarch": "0:2.0-1" });
    assert.deepEqual(Object.fromEntries(a.owned.map(({ owner, configuration }) => [owner, configuration])), {
      "one.noarch": ["/etc/one.conf"],
      "two.noarch": ["/etc/two.conf"],
    });
    assert.match(a.installations[0]?.at ?? "", /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/u);
    const table = new NodeTable();
    table.add("a", a);
    table.add("b", b);
    const { causes } = compareNodes(table, { rules: [], baseline: "a" }).groups[1]!;
    const paths = (cause: "changed" | "configuration" | "unowned"): readonly string[] =>
      causes[cause].map(({ path }) => path);
    assert.deepEqual(
      causes.packages.map(({ name, here, there, files }) => [name, here, there, files]),
      [["one.noarch", "0:1.1-1", "0:1.0-1", 1]],
    );
    assert.deepEqual(
      [paths("changed"), paths("configuration"), paths("unowned")],
      [["/usr/bin/two"], ["/etc/two.conf"], ["/usr/bin/tcpdump"]],
    );
  },
);
