import type { Phase } from "../../generated/events";

/** The sections of an envelope in their order, and the phase that each is of. */
const SECTIONS: readonly (readonly [string, Phase, string])[] = [
  ["clean_lead", "clean", "Clean"],
  ["armed", "armed", "Armed"],
  ["infecting", "infecting", "Infecting"],
  ["infected_running", "infected_running", "Running"],
  ["clean_tail", "clean", "Clean"],
];

export interface Section {
  id: string;
  phase: Phase | undefined;
  name: string;
  /** Its first point, and the number of them. */
  from: number;
  points: number;
}

/** Where the sections of an envelope lie. One that this page does not know comes last, by its name. */
export function sections(budget: Readonly<Record<string, number>>): Section[] {
  const order = new Map(SECTIONS.map(([id], place) => [id, place]));
  const place = (id: string) => order.get(id) ?? SECTIONS.length;
  let from = 0;
  return Object.entries(budget)
    .sort(([a], [b]) => place(a) - place(b) || (a < b ? -1 : 1))
    .map(([id, points]) => {
      const [, phase, name] = SECTIONS[place(id)] ?? [];
      const section = { id, phase, name: name ?? id, from, points };
      from += points;
      return section;
    });
}
