// Shows the letter or certificate whose QR code led here. The token stands behind the #, so that
// no log of the way here has it.
async function show(side) {
  const main = document.querySelector('main')
  const write = (tag, text, kind) => {
    const e = document.createElement(tag)
    e.textContent = text
    if (kind) e.className = kind
    main.append(e)
    return e
  }
  main.replaceChildren()
  const full = side === 'console'
  try {
    const answer = await fetch(`/api/${full ? 'console' : 'portal'}/letter/` + encodeURIComponent(location.hash.slice(1) || 'none'), { headers: { 'X-Requested-With': 'zhihuidangjian' } })
    const letter = await answer.json()
    if (answer.status === 401) return void write('p', '请先在本机登录管理后台，再扫码查看完整信息', 'bad')
    if (!answer.ok) return void write('p', letter.message || '暂时无法查询，请稍后重试', 'bad')
    write('h1', letter.title)
    write('p', letter.stateName, letter.state === 'valid' || letter.state === 'received' ? 'good' : 'bad')
    const list = write('dl', '')
    for (const { label, text } of letter.lines) {
      const [dt, dd] = [document.createElement('dt'), document.createElement('dd')]
      dt.textContent = label
      dd.textContent = text
      list.append(dt, dd)
    }
    // Who receives the member reads his number in full, logged in to the console; it is written down.
    if (full && letter.lines.some((l) => l.text.includes('*'))) write('p', '只有接收单位的管理员可以查看完整信息')
    if (!full) write('button', '接收单位查看完整信息').addEventListener('click', () => show('console'))
  } catch {
    write('p', '网络不给力，请稍后重试', 'bad')
  }
}
addEventListener('hashchange', () => show())
show()
