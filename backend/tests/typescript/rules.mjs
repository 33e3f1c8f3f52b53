// Compares the days of our recurrence rules with those of rrule, a second implementation: node rules.mjs FILE
import { readFileSync } from "node:fs";
import rrule from "rrule";

const { horizon, days: count, series } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const last = new Date(`${horizon}T00:00:00Z`);

// From a month with one day, rrule selects that day for BYSETPOS=-2, too: it takes slice(-2)[0] of the list.
const isMisread = (rule) => /BYSETPOS=[^;]*-(?!1\b)\d/.test(rule);

/** The days after the first, as rrule finds them. */
function daysOf(rule, first) {
  const start = new Date(`${first}T00:00:00Z`);
  const parsed = new rrule.RRule({ ...rrule.RRule.parseString(rule), dtstart: start, until: last });
  const found = [];
  parsed.all((day) => {
    const text = day.toISOString().slice(0, 10);
    // two positions can mean the same day
    if (day > start && text !== found.at(-1)) found.push(text);
    return found.length < count;
  });
  return found;
}

const compared = series.filter((each) => !isMisread(each.rule));
let differences = 0;
for (const { rule, first, days } of compared) {
  const theirs = daysOf(rule, first);
  if (theirs.join() === days.join()) continue;
  differences += 1;
  console.error(`${rule} from ${first}\n  ours:   ${days.join(" ")}\n  rrule:  ${theirs.join(" ")}`);
}
if (differences > 0 || compared.length < 500) {
  console.error(`${differences} of ${compared.length} rules differ from rrule.`);
  process.exit(1);
}
console.log(`${compared.length} generated recurrence rules give the days that rrule gives.`);
