// The columns of topics that the portal shows (专题栏目), each with its picture and newest topics.
const day = (at) => new Date(at + 8 * 3600e3).toISOString().slice(0, 10) // in Shanghai
async function show() {
  const answer = await fetch('/api/portal/columns')
  if (!answer.ok) return // the page is worth something without them
  const { columns } = await answer.json()
  for (const c of columns || []) {
    const section = document.createElement('section')
    section.className = 'column'
    const head = document.createElement('h2')
    if (c.icon) {
      const picture = document.createElement('img')
      picture.src = `/api/portal/records/topicCategory/files/${c.icon}?id=${c.id}`
      picture.alt = ''
      head.append(picture)
    }
    head.append(c.name)
    const list = document.createElement('ol')
    for (const t of c.topics || []) {
      const [item, link, date] = ['li', 'a', 'time'].map((tag) => document.createElement(tag))
      link.href = '/topic.html#' + t.id
      link.textContent = t.title
      date.textContent = day(t.publishedAt)
      item.append(link, date)
      list.append(item)
    }
    section.append(head, list)
    if (!(c.topics || []).length) list.append('暂无数据')
    document.getElementById('columns').append(section)
  }
}
show().catch(() => undefined)
