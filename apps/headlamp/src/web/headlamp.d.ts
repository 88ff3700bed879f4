/**
 * As much of Headlamp's interface for plugins as is used, as @kinvolk/headlamp-plugin 0.14.0 has it. Its own types come with some 800
 * packages.
 */
declare module "@kinvolk/headlamp-plugin/lib" {
  import type { ReactElement, ReactNode } from "react";

  /** An icon of Iconify, in itself: the name of one would be asked for in the network. */
  type Icon = { readonly body: string; readonly width: number; readonly height: number };

  export function registerSidebarEntry(entry: {
    readonly parent: string | null;
    readonly name: string;
    readonly label: string;
    readonly url: string;
    readonly icon?: Icon;
  }): void;
  export function registerRoute(route: {
    readonly path: string;
    readonly sidebar: string;
    readonly name: string;
    readonly exact: boolean;
    readonly component: () => ReactNode;
  }): void;
  export function registerDetailsViewSection(section: (props: { readonly resource: KubeObject }) => ReactNode): void;
  export function registerAppBarAction(action: () => ReactNode): void;

  /** Without this, all that is declared here would count as exported. */
  export {};
  type KubeObject = {
    readonly kind: string;
    readonly jsonData: unknown;
    readonly metadata: { readonly name: string };
  };
  type ApiError = Error & { readonly status?: number };

  export const K8s: {
    /** Null where no cluster is chosen, as on the home page. */
    readonly useCluster: () => string | null;
    readonly crd: {
      readonly makeCustomResourceClass: (kind: {
        readonly apiInfo: { group: string; version: string }[];
        readonly isNamespaced: boolean;
        readonly singularName: string;
        readonly pluralName: string;
        readonly kind: string;
      }) => {
        /** Live, through a watch; null until there is an answer. */
        readonly useList: () => readonly [KubeObject[] | null, ApiError | null, ...unknown[]];
      };
    };
  };
  export const CommonComponents: {
    readonly SectionBox: (props: { readonly title: ReactNode; readonly children: ReactNode }) => ReactElement;
    readonly Link: (props: {
      readonly routeName: string;
      readonly params?: Readonly<Record<string, string>>;
      readonly children: ReactNode;
    }) => ReactElement;
  };
}

declare module "@mui/material" {
  export function useTheme(): { readonly palette: { readonly mode: "light" | "dark" } };
}

declare module "*.css" {
  const text: string;
  export default text;
}
