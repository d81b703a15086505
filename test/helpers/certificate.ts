import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MissingProgram } from './skip.ts'

export interface Certificate {
  key: string
  cert: string
}

/** A key and its self-signed certificate, from the program openssl: node:crypto can make keys, but no certificates. */
export async function makeCertificate (): Promise<Certificate> {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'))
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder, name)) as [string, string]
  try {
    const { error, status, stderr } = spawnSync('openssl', [
      'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1', '-subj', '/CN=localhost', '-keyout', key, '-out', cert,
    ], { encoding: 'utf8' })
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') throw new MissingProgram('openssl is not installed')
    if (error !== undefined || status !== 0) throw error ?? new Error(`openssl ended with ${status}:\n${stderr}`)
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
