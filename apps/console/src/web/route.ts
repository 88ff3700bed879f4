/** What the part of the URL behind # says is shown. It never leaves the browser. */
export type Route =
  | { readonly page: "fleet" }
  | { readonly page: "node"; readonly name: string }
  | { readonly page: "rollouts" }
  | { readonly page: "rollout"; readonly name: string }
  | { readonly page: "compare"; readonly left: string; readonly right: string };

export function parseRoute(hash: string): Route {
  const [page, ...names] = hash.replace(/^#\/?/u, "").split("/").map(decode);
  const [first = "", second = ""] = names;
  if ((page === "node" || page === "rollout") && first !== "") return { page, name: first };
  if (page === "rollouts") return { page };
  if (page === "compare") return { page, left: first, right: second };
  return { page: "fleet" };
}

export function hrefOf(route: Route): string {
  if (route.page === "node" || route.page === "rollout") return `#/${route.page}/${encodeURIComponent(route.name)}`;
  if (route.page === "rollouts") return "#/rollouts";
  if (route.page === "compare") return `#/compare/${encodeURIComponent(route.left)}/${encodeURIComponent(route.right)}`;
  return "#/";
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}
