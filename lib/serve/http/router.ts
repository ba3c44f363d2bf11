import type { Route } from './routes.js';

/** What a path leads to. */
export interface Match {
  readonly route: Route | undefined;
  /** The methods of all routes of this path; none if there is nothing. */
  readonly allowed: readonly string[];
  readonly parameters: Readonly<Partial<Record<'model' | 'version', string>>>;
}

/** Finds routes by method and path. */
export class Router {
  /** Those without a name in their path. */
  readonly #fixed = new Map<string, Route[]>();
  readonly #named: { readonly route: Route; readonly pattern: RegExp }[] = [];

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      if (route.path.includes(':')) {
        const pattern = route.path.replace(/:(\w+)/g, '(?<$1>[^/]+)');
        this.#named.push({ route, pattern: new RegExp(`^${pattern}$`) });
      } else {
        this.#fixed.set(route.path, [...(this.#fixed.get(route.path) ?? []), route]);
      }
    }
  }

  match(method: string, given: string): Match {
    const path = given.length > 1 && given.endsWith('/') ? given.slice(0, -1) : given;
    const fixed = this.#fixed.get(path)?.map((route) => ({ route, parameters: {} }));
    // A path with a name gives way to the same without.
    const found = fixed ?? this.#namedOf(path);
    const allowed = found.flatMap(({ route }) => (route.method === 'GET' ? ['GET', 'HEAD'] : [route.method]));
    const first = found.find(({ route }) => route.method === (method === 'HEAD' ? 'GET' : method));
    return { route: first?.route, allowed: [...new Set(allowed)], parameters: first?.parameters ?? {} };
  }

  #namedOf(path: string): { route: Route; parameters: Match['parameters'] }[] {
    return this.#named.flatMap(({ route, pattern }) => {
      const groups = pattern.exec(path)?.groups;
      if (groups === undefined) return [];
      return [
        {
          route,
          parameters: Object.fromEntries(Object.entries(groups).map(([name, text]) => [name, decoded(text)])),
        },
      ];
    });
  }
}

/** A part of a path; as it is, if it is not encoded as it should be. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
