// Shows only the calls whose text has every word of the filter. The page is whole without it.
const filter = document.getElementById("filter");
const articles = [...document.querySelectorAll("article[data-call]")];
const texts = new Map(articles.map((article) => [article.dataset.call, article.textContent.toLowerCase()]));
filter.hidden = false;
filter.addEventListener("input", () => {
  const words = filter.value.toLowerCase().split(/\s+/);
  for (const element of document.querySelectorAll("[data-call]")) {
    const text = texts.get(element.dataset.call);
    element.hidden = !words.every((word) => text.includes(word));
  }
});
