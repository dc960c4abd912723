//! The command line of the benchmarks.

/// What the command line says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// `--quick`: a short run on small sizes, which shows that everything works and no figure.
    pub is_quick: bool,
    /// `--record`: append the figures to benches/record/.
    pub is_recording: bool,
    /// `--worker`: this process is a contestant and is asked through its standard input.
    pub is_worker: bool,
    /// Arguments that are numbers, in order.
    pub numbers: Vec<f64>,
}

impl Options {
    /// Reads arguments, the program's name left out, with at most `numbers_max` numbers.
    ///
    /// # Errors
    /// A sentence about the first argument that is unknown.
    pub fn parse(
        arguments: impl IntoIterator<Item = String>,
        numbers_max: usize,
    ) -> Result<Self, String> {
        let mut options = Self::default();
        for argument in arguments {
            match argument.as_str() {
                "--quick" => options.is_quick = true,
                "--record" => options.is_recording = true,
                "--worker" => options.is_worker = true,
                // What `cargo bench` says to every benchmark.
                "--bench" => {}
                text => match text.parse::<f64>() {
                    Ok(number) if number > 0.0 && options.numbers.len() < numbers_max => {
                        options.numbers.push(number);
                    }
                    _ => return Err(unexpected(text, numbers_max)),
                },
            }
        }
        if options.is_quick && options.is_recording {
            return Err("--record: a quick run shows no figures worth recording".to_owned());
        }
        Ok(options)
    }

    /// Reads arguments that are flags, and words that name what to run.
    ///
    /// # Errors
    /// A sentence about the first flag that is unknown.
    pub fn with_names(
        arguments: impl IntoIterator<Item = String>,
    ) -> Result<(Self, Vec<String>), String> {
        let (flags, names) =
            arguments.into_iter().partition::<Vec<_>, _>(|argument| argument.starts_with("--"));
        Ok((Self::parse(flags, 0)?, names))
    }
}

fn unexpected(argument: &str, numbers_max: usize) -> String {
    let numbers = match numbers_max {
        0 => String::new(),
        count => format!(" or at most {count} numbers above 0"),
    };
    format!("arguments: expected --quick, --record{numbers}, got {argument:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str, numbers_max: usize) -> Result<Options, String> {
        Options::parse(line.split_whitespace().map(str::to_owned), numbers_max)
    }

    #[test]
    fn flags_and_numbers_are_taken_in_any_order() {
        let expected =
            Options { is_recording: true, numbers: vec![64.0, 0.5], ..Options::default() };
        assert_eq!(parse("--bench 64 --record 0.5", 2), Ok(expected));
    }

    #[test]
    fn words_name_what_to_run() {
        let arguments = ["fill", "--quick", "2"].map(str::to_owned);
        let (options, names) = Options::with_names(arguments).expect("flags and words");
        assert!(options.is_quick && names == ["fill", "2"], "{options:?} {names:?}");
        assert!(Options::with_names(["--fast".to_owned()]).is_err());
    }

    #[test]
    fn what_is_not_understood_is_refused_with_what_was_expected() {
        for (line, numbers_max) in [("--fast", 2), ("1 2 3", 2), ("0", 2), ("NaN", 2), ("1", 0)] {
            let error = parse(line, numbers_max).expect_err(line);
            assert!(error.starts_with("arguments: expected --quick"), "{error}");
        }
        assert!(parse("--quick --record", 0).is_err());
    }
}
