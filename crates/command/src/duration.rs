use std::time::Duration;

/// A time that is added to any other is one that clocks know.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Reads a time such as `500ms`, `5s`, `10m` or `1h`, for clap's `value_parser`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    const EXPECTED: &str = "expected a time such as 500ms, 5s, 10m or 1h, and a year at most";
    let unit = text.find(|char: char| char.is_ascii_alphabetic()).ok_or(EXPECTED)?;
    let seconds = match &text[unit..] {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(EXPECTED.to_owned()),
    };
    let number: f64 = text[..unit].parse().map_err(|_| EXPECTED)?;
    let time = Duration::try_from_secs_f64(number * seconds).ok().filter(|time| *time <= LONGEST);
    time.ok_or_else(|| EXPECTED.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_number_and_a_unit() {
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("1.5s"), Ok(Duration::from_millis(1_500)));
        assert_eq!(parse_duration("10m"), Ok(Duration::from_secs(600)));
        for wrong in ["", "5", "s", "5 parsecs", "-1s", "1e999s", "nans", "9e18s", "8761h"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
