// Functions and aggregations for completion: name, what goes in, one line on what comes out.

const v = "instant-vector";
const r = "range-vector";
const table = `
abs(${v})|absolute values
absent(${v})|1 if nothing is there, else nothing
absent_over_time(${r})|1 if nothing was there in the whole range
acos(${v})|arc cosine
acosh(${v})|inverse hyperbolic cosine
asin(${v})|arc sine
asinh(${v})|inverse hyperbolic sine
atan(${v})|arc tangent
atanh(${v})|inverse hyperbolic tangent
avg_over_time(${r})|mean of the samples in the range
ceil(${v})|rounded up
changes(${r})|how often the value changed in the range
clamp(${v}, min, max)|kept between two limits
clamp_max(${v}, max)|at most max
clamp_min(${v}, min)|at least min
cos(${v})|cosine
cosh(${v})|hyperbolic cosine
count_over_time(${r})|number of samples in the range
day_of_month(${v} = vector(time()))|day of the month, UTC
day_of_week(${v} = vector(time()))|day of the week, 0 is Sunday, UTC
day_of_year(${v} = vector(time()))|day of the year, UTC
days_in_month(${v} = vector(time()))|number of days in that month
deg(${v})|radians to degrees
delta(${r})|difference between last and first value of gauges
deriv(${r})|slope a second by linear regression
double_exponential_smoothing(${r}, smoothing, trend)|smoothed value (experimental)
exp(${v})|e to the power
first_over_time(${r})|oldest sample in the range (experimental)
floor(${v})|rounded down
histogram_avg(${v})|mean of native histograms
histogram_count(${v})|observations in native histograms
histogram_fraction(lower, upper, ${v})|share of observations between two bounds
histogram_quantile(quantile, ${v})|quantile of classic (by le) or native histograms
histogram_quantiles(${v}, label, quantile, …)|several quantiles at once (experimental)
histogram_stddev(${v})|estimated standard deviation of native histograms
histogram_stdvar(${v})|estimated variance of native histograms
histogram_sum(${v})|sum of observations in native histograms
hour(${v} = vector(time()))|hour of the day, UTC
idelta(${r})|difference between the last two samples
increase(${r})|increase of counters over the range, resets allowed for
info(${v}, selector)|adds labels of matching info metrics (experimental)
irate(${r})|increase a second between the last two samples
label_join(${v}, destination, separator, source, …)|joins label values into one
label_replace(${v}, destination, replacement, source, regex)|sets a label from a match on another
last_over_time(${r})|newest sample in the range
ln(${v})|natural logarithm
log10(${v})|decimal logarithm
log2(${v})|binary logarithm
mad_over_time(${r})|median absolute deviation (experimental)
max_over_time(${r})|greatest sample in the range
min_over_time(${r})|least sample in the range
minute(${v} = vector(time()))|minute of the hour, UTC
month(${v} = vector(time()))|month of the year, UTC
pi()|3.14159…
predict_linear(${r}, seconds)|value in that many seconds by linear regression
present_over_time(${r})|1 for each series with a sample in the range
quantile_over_time(quantile, ${r})|quantile of the samples in the range
rad(${v})|degrees to radians
rate(${r})|increase a second of counters, resets allowed for
resets(${r})|how often a counter started again
round(${v}, to_nearest = 1)|rounded to the nearest multiple
scalar(${v})|the value of a vector with a single element
sgn(${v})|sign: -1, 0 or 1
sin(${v})|sine
sinh(${v})|hyperbolic sine
sort(${v})|by value, ascending
sort_by_label(${v}, label, …)|by labels, ascending (experimental)
sort_by_label_desc(${v}, label, …)|by labels, descending (experimental)
sort_desc(${v})|by value, descending
sqrt(${v})|square root
stddev_over_time(${r})|standard deviation of the samples in the range
stdvar_over_time(${r})|variance of the samples in the range
sum_over_time(${r})|sum of the samples in the range
tan(${v})|tangent
tanh(${v})|hyperbolic tangent
time()|seconds since 1970 at evaluation
timestamp(${v})|time of each sample
ts_of_first_over_time(${r})|time of the oldest sample (experimental)
ts_of_last_over_time(${r})|time of the newest sample (experimental)
ts_of_max_over_time(${r})|time of the greatest sample (experimental)
ts_of_min_over_time(${r})|time of the least sample (experimental)
vector(scalar)|a scalar as a vector without labels
year(${v} = vector(time()))|year, UTC
sum by (…) (${v})|sum over groups
avg by (…) (${v})|mean over groups
min by (…) (${v})|least of each group
max by (…) (${v})|greatest of each group
count by (…) (${v})|number of elements
group by (…) (${v})|1 for each group
stddev by (…) (${v})|standard deviation over groups
stdvar by (…) (${v})|variance over groups
topk by (…) (k, ${v})|greatest k elements
bottomk by (…) (k, ${v})|least k elements
quantile by (…) (quantile, ${v})|quantile over groups
count_values by (…) (label, ${v})|how often each value occurs
limitk by (…) (k, ${v})|k elements of each group (experimental)
limit_ratio by (…) (ratio, ${v})|a share of the elements (experimental)`;

/** [{ text, signature, what }] for completion. */
export const functions = table.trim().split("\n").map((line) => {
  const [signature, what] = line.split("|");
  return { text: signature.match(/^\w+/)[0], signature, what, kind: "function" };
});

const words = ["by", "without", "on", "ignoring", "group_left", "group_right", "offset", "bool", "and", "or", "unless", "atan2"];

/** Keywords, in the same form. */
export const keywords = words.map((text) => ({ text, what: "keyword", kind: "keyword" }));
