/** The example with its viewer in a process of its own: tells its parent the address, and ends with it. */
import { startScene } from './scene.mjs'

const { address } = await startScene()
process.send(address)
process.once('disconnect', () => process.exit())
