/** How a browser stands to its broadcaster. Times are milliseconds since 1970. */
export interface Status {
  /**
   * connecting: never heard from it; catching-up: what was missing is arriving; live: complete, events arrive as they happen;
   * reconnecting: what is shown is as old as `heard`.
   */
  phase: "connecting" | "catching-up" | "live" | "reconnecting";
  transport: Transport;
  /** When something last arrived. */
  heard: number | null;
  /** When the next attempt is due. */
  retry: number | null;
  /** It asks for a view token that this browser has not, or not any more. */
  barred: boolean;
}

export type Transport = "websocket" | "sse";

export const unconnected: Status = { phase: "connecting", transport: "websocket", heard: null, retry: null, barred: false };
