/** For tests: as much of Headlamp as a plugin sees. The real React 18, and the API server that the page came from. */
import * as React from "react";
import * as ReactJSX from "react/jsx-runtime";
import { createRoot } from "react-dom/client";

type Component = () => React.ReactNode;
type Resource = { readonly kind: string; readonly metadata: { readonly name: string } };
type Answer = readonly [{ jsonData: unknown }[] | null, (Error & { status?: number }) | null];

const routes: Component[] = [];
const sections: ((props: { resource: Resource }) => React.ReactNode)[] = [];
const actions: Component[] = [];
const parameters = new URLSearchParams(location.search);
const POLL_MS = 300;

/** As Headlamp does it: what was there stays when the API server is away. */
function useList(plural: string): Answer {
  const [answer, setAnswer] = React.useState<Answer>([null, null]);
  React.useEffect(() => {
    const ask = async (): Promise<void> => {
      try {
        const response = await fetch(`/apis/ashlar.dev/v1alpha1/${plural}`);
        if (!response.ok) throw Object.assign(new Error(`status ${response.status}`), { status: response.status });
        const { items }: { items: unknown[] } = await response.json();
        setAnswer([items.map((jsonData) => ({ jsonData })), null]);
      } catch (error) {
        if (error instanceof Error) setAnswer(([items]) => [items, error]);
      }
    };
    void ask();
    const timer = setInterval(() => void ask(), POLL_MS);
    return () => clearInterval(timer);
  }, [plural]);
  return answer;
}

Object.assign(globalThis, {
  pluginLib: {
    React,
    ReactJSX,
    MuiMaterial: { useTheme: () => ({ palette: { mode: parameters.get("mode") ?? "light" } }) },
    registerSidebarEntry: ({ label, url, icon }: { label: string; url: string; icon: { body: string } }) => {
      const entry = document.createElement("a");
      entry.href = `#${url}`;
      entry.textContent = label;
      entry.dataset["icon"] = icon.body;
      document.querySelector("nav")?.append(entry);
    },
    registerRoute: ({ component }: { component: Component }) => routes.push(component),
    registerDetailsViewSection: (section: (typeof sections)[number]) => sections.push(section),
    registerAppBarAction: (action: Component) => actions.push(action),
    K8s: {
      useCluster: () => (parameters.get("cluster") === "none" ? null : "test"),
      crd: {
        makeCustomResourceClass: ({ pluralName }: { pluralName: string }) => ({ useList: () => useList(pluralName) }),
      },
    },
    CommonComponents: {
      SectionBox: ({ title, children }: { title: React.ReactNode; children: React.ReactNode }) => (
        <section>
          <h2>{title}</h2>
          {children}
        </section>
      ),
      Link: ({
        routeName,
        params,
        children,
      }: {
        routeName: string;
        params?: { name: string };
        children: React.ReactNode;
      }) => <a href={`#/${routeName}/${encodeURIComponent(params?.name ?? "")}`}>{children}</a>,
    },
  },
});

/** What Headlamp shows once its plugins have run: their page, or what they add to that of a Node or a Pod. */
function Page(): React.ReactNode {
  const [kind = "", name = ""] = (parameters.get("of") ?? "").split("/");
  const resource = { kind, metadata: { name } };
  return (
    <>
      <header>
        {actions.map((Action, index) => (
          <Action key={index} />
        ))}
      </header>
      <main>
        <h1>Test</h1>
        {kind === "" ? routes.map((Route, index) => <Route key={index} />) : null}
        {kind === "" ? null : sections.map((Section, index) => <Section key={index} resource={resource} />)}
      </main>
    </>
  );
}

addEventListener("load", () => {
  const root = document.querySelector("#root");
  if (root !== null) createRoot(root).render(<Page />);
});
