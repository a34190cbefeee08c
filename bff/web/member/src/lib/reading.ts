/** The kind of input for a phone number: the mini-program knows no tel, and H5's number drops what is pasted. */
export const PHONE_INPUT = process.env.UNI_PLATFORM === 'h5' ? 'tel' : 'number'
