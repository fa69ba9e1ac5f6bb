import { type Signal, useSignal } from "@preact/signals";
import { useCallback } from "preact/hooks";

export interface Size {
  width: number;
  height: number;
}

/** The size of an element in CSS pixels, kept up to date. Give `ref` to the element. */
export function useSize(): { ref: (element: Element | null) => (() => void) | undefined; size: Signal<Size> } {
  const size = useSignal<Size>({ width: 0, height: 0 });
  const ref = useCallback((element: Element | null) => {
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry === undefined) return;
      const { width, height } = entry.contentRect;
      size.value = { width: Math.floor(width), height: Math.floor(height) };
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { ref, size };
}

/** Whether somebody may see an element, or will when they scroll a little. Give `ref` to the element. */
export function useInView(): { ref: (element: Element | null) => (() => void) | undefined; inView: Signal<boolean> } {
  const inView = useSignal(false);
  const ref = useCallback((element: Element | null) => {
    if (element === null) return;
    const observer = new IntersectionObserver(
      (entries) => {
        inView.value = entries.at(-1)?.isIntersecting ?? false;
      },
      { rootMargin: "50%" },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { ref, inView };
}
