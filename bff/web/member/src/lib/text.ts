// Rich text on the phone is typed as plain paragraphs.

const escape = (s: string) => s.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')

/** Lines as paragraphs of HTML; "" for nothing. */
export const paragraphs = (text: string) => (text.trim() ? text.split('\n').map((l) => `<p>${escape(l)}</p>`).join('') : '')

/** HTML as the lines that it was typed as; marks that the phone does not know fall away. */
export const lines = (html: string) => html.replace(/<br\s*\/?>/g, '\n').replace(/<\/(p|h\d|li|div)>(?!$)/g, '\n').replace(/<[^>]*>/g, '')
  .replace(/&nbsp;/g, ' ').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&amp;/g, '&')
