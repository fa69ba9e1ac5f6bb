import { serveLink } from "./link/worker";
import { servePoints } from "./points/worker";

// One file for both workers of the page, told apart by their name: the connection, and the point renderer.
const scope = self as unknown as SharedWorkerGlobalScope & DedicatedWorkerGlobalScope;
if (scope.name === "points") {
  servePoints(scope);
} else {
  // This file lies two folders below the page: assets/<version>/worker.js.
  serveLink(scope, new URL(import.meta.env.DEV ? "/" : "../../", scope.location.href));
}
