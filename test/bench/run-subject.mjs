/** One application of one scenario in a process of its own: says its answer, then the CPU microseconds a request of each slice that it is asked for. */
import { drive } from './drive.mjs'
import { installGlobals } from './open-telemetry.mjs'
import { scenarios } from './scenarios.mjs'
import { createSubject } from './subjects.mjs'
import { verify } from './verify.mjs'

const [key, name] = process.argv.slice(2)
const scenario = scenarios[key]
const { inFlight = 64, sliceSize = 1024, warmUp = 20_480 } = scenario

installGlobals()
const subject = await createSubject(name, scenario)
const { requests } = scenario.routes()
const answer = await verify(subject, requests, scenario)
for (let sent = 0; sent < warmUp; sent += sliceSize) await drive(subject.app, requests, sliceSize, inFlight)

process.on('message', async () => {
  const before = process.cpuUsage()
  await drive(subject.app, requests, sliceSize, inFlight)
  const { user, system } = process.cpuUsage(before)
  process.send((user + system) / sliceSize)
})
process.on('disconnect', () => subject.app.close())
process.send(answer)
