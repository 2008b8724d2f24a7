//! Numbers of repeated runs: how they are taken together, and how they are written.

/// One number of each run.
#[derive(Default)]
pub(super) struct Figures {
    all: Vec<f64>,
}

impl Figures {
    pub(super) fn add(&mut self, figure: f64) {
        self.all.push(figure);
        self.all.sort_by(f64::total_cmp);
    }

    /// Returns the median; nothing measured is nothing.
    pub(super) fn median(&self) -> f64 {
        self.all.get(self.all.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// Returns the median, and from where to where the runs go.
    pub(super) fn told(&self, unit: &str) -> String {
        let [first, last] = [self.all.first(), self.all.last()].map(|one| one.copied().unwrap_or(f64::NAN));
        format!("{} {unit} ({} to {})", number(self.median()), number(first), number(last))
    }
}

/// Returns a number with as many digits as say something.
pub(super) fn number(figure: f64) -> String {
    let size = figure.abs();
    if size >= 1_000.0 {
        let mut text = format!("{size:.0}");
        let mut at = text.len();
        while at > 3 {
            at -= 3;
            text.insert(at, ',');
        }
        format!("{}{text}", if figure < 0.0 { "-" } else { "" })
    } else if size >= 100.0 {
        format!("{figure:.0}")
    } else if size >= 10.0 {
        format!("{figure:.1}")
    } else {
        format!("{figure:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_say_something() {
        for (figure, written) in [
            (0.123, "0.12"),
            (12.34, "12.3"),
            (123.4, "123"),
            (1_234.5, "1,234"),
            (1_234_567.0, "1,234,567"),
            (-1_234.0, "-1,234"),
            (-12.34, "-12.3"),
        ] {
            assert_eq!(number(figure), written);
        }
    }

    #[test]
    fn the_median_is_told_with_how_far_the_runs_lie_apart() {
        let mut figures = Figures::default();
        for figure in [3.0, 100.0, 2.0] {
            figures.add(figure);
        }
        assert_eq!(figures.told("us"), "3.00 us (2.00 to 100)");
    }
}
