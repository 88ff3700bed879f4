/** What Headlamp runs: says where the plugin's pieces go. */
import {
  registerAppBarAction,
  registerDetailsViewSection,
  registerRoute,
  registerSidebarEntry,
} from "@kinvolk/headlamp-plugin/lib";
import { Badge } from "./badge.tsx";
import { ICON } from "./icon.ts";
import { NodeSection } from "./node-section.tsx";
import { ProofsPage } from "./proofs-page.tsx";
import css from "./style.css";
import { WORDS } from "./words.ts";

const NAME = "ashlar-proofs";
const PATH = "/ashlar/proofs";

const style = document.createElement("style");
style.textContent = css;
document.head.append(style);

registerSidebarEntry({ parent: null, name: NAME, label: WORDS.title, url: PATH, icon: ICON });
registerRoute({ path: PATH, sidebar: NAME, name: NAME, exact: true, component: () => <ProofsPage /> });
registerDetailsViewSection(({ resource }) =>
  resource?.kind === "Node" ? <NodeSection name={resource.metadata.name} /> : null,
);
registerAppBarAction(() => <Badge routeName={NAME} />);
