// A file of its own: only a page that draws curves loads it.
export { default } from "uplot";
