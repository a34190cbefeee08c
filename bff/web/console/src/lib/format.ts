import { serverNow } from '@/api/client'
import { day } from '@shared/format'

/** Today in China by the server's clock, yyyy-MM-dd. */
export const today = () => day(serverNow())
