// The page WeChat's authorize address shows while nobody holds the phone.
(() => {
  'use strict'
  const $ = (id) => document.getElementById(id)

  const api = async (path, body) => {
    const res = await fetch('/sandbox/api/' + path, body === undefined ? {} : {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
    })
    const answer = await res.json()
    if (!res.ok) throw new Error(answer.error || '沙盒没有应答')
    return answer
  }

  const use = async (userId) => {
    await api('phone', { userId })
    location.reload() // now with a user: straight back with a code
  }
  const tell = (e) => { $('sandbox-error').textContent = e.message }

  api('users').then(({ users }) => {
    for (const u of users) {
      const b = document.createElement('button')
      const phone = document.createElement('small')
      phone.textContent = u.phone
      b.type = 'button'
      b.dataset.user = u.id
      b.append(u.nickname, phone)
      b.addEventListener('click', () => use(u.id).catch(tell))
      $('sandbox-users').append(b)
    }
  }).catch(tell)

  $('sandbox-new-user').addEventListener('submit', (e) => {
    e.preventDefault()
    api('users', { nickname: $('sandbox-nickname').value, phone: $('sandbox-phone').value }).then((u) => use(u.id)).catch(tell)
  })
})()
