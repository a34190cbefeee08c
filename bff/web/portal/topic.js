// Shows one topic of a column of the portal, whose id stands behind the #.
async function show() {
  const main = document.querySelector('main')
  const write = (tag, text) => {
    const e = document.createElement(tag)
    e.textContent = text
    main.append(e)
    return e
  }
  main.replaceChildren()
  try {
    const id = location.hash.slice(1)
    const answer = await fetch('/api/portal/topics/' + encodeURIComponent(id || 'none'))
    const text = await answer.json()
    if (!answer.ok) return void write('p', answer.status === 404 ? '内容不存在' : text.message || '暂时无法打开，请稍后重试')
    const { topic, category, content, files } = text
    document.title = topic.title
    write('h1', topic.title)
    write('p', [category, topic.orgName, new Date(topic.publishedAt + 8 * 3600e3).toISOString().slice(0, 10)].join('　')).className = 'about'
    write('article', '').innerHTML = content // cleaned by the server when it was saved
    for (const f of files || []) write('a', f.name).href = `/api/portal/records/topic/files/${f.id}?id=${topic.id}`
  } catch {
    write('p', '网络不给力，请稍后重试')
  }
}
addEventListener('hashchange', show)
show()
