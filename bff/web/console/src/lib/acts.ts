import type { Row } from '@shared/types'

/** What a page does itself with a row, by the key of the verb; true asks for the list again. */
export type Acts = Record<string, (row: Row) => Promise<boolean | void> | boolean | void>
