import { render } from "preact";
import { joinLink } from "./link/tab";
import { entitle } from "./shell/title";
import { Wall } from "./shell/Wall";
import { store } from "./state/store";
import "./style/page.css";
import { applyTheme } from "./view/theme";

applyTheme();
joinLink((news) => {
  store.hear(news);
  entitle(news.status);
});
const root = document.getElementById("page");
if (root !== null) render(<Wall />, root);
