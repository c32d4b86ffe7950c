// What a session came to: the JSON report of `faultdeck run`, and the text that goes with it.

/** The session of a test did not come out well; the text says why. */
export class Broken extends Error {
  name = 'Broken'
}

/** What a session came to. */
export class Verdict {
  /** The report for programs, and for a person; whether the test itself passed. */
  constructor(report, human, passed) {
    Object.assign(this, { report, human, passed })
  }

  /** Whether nothing speaks against the session, the test's own end included. */
  isAllowed() {
    return this.report.exit === 0
  }

  /** What speaks against the session, but for the test's own failure, weightiest first. */
  against() {
    const reasons = this.report.reasons.filter((one) => one.exit !== 0 && (this.passed || one.why !== this.report.command))
    reasons.sort((one, other) => (one.exit === 3) - (other.exit === 3))
    const idle = "does the test ask under the console's `url`?"
    return reasons.map((one) => one.why.replace('the command', 'the test').replace('does the test use FAULTDECK_URL?', idle))
  }

  /** All of it, for a person. */
  text(found = this.against()) {
    return [found.join('; '), this.human.trimEnd()].filter(Boolean).join('\n\n')
  }
}
