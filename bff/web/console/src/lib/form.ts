import type { InjectionKey, Ref } from 'vue'

/** The values of the form that an input stands in, for inputs that depend on others. */
export const values: InjectionKey<Ref<Record<string, any>>> = Symbol('values')
