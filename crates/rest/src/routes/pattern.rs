//! What the paths of resources look like.

/// The path of a resource: literal segments, and parameters in braces, each of which takes any one segment.
///
/// Compared segment by segment. The framework makes a regular expression of such a path, whose run over it costs more
/// than all the rest of an answer that comes from memory.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Vec<Segment>);

#[derive(Clone, Copy, Debug)]
enum Segment {
    Literal(&'static str),
    Parameter(&'static str),
}

/// The names and values of the parameters, in their order.
pub(super) type Values<'p> = Vec<(&'static str, &'p str)>;

impl Pattern {
    /// The pattern of a path as it is written in a table of routes: `/jobs/{id}`.
    pub(super) fn of(path: &'static str) -> Self {
        Self(segments(path).map(Segment::of).collect())
    }

    /// The values of the parameters in a path; `None` for a path that is not like this.
    pub(super) fn values<'p>(&self, path: &'p str) -> Option<Values<'p>> {
        let (mut segments, mut values) = (segments(path), Values::new());
        for expected in &self.0 {
            let segment = segments.next()?;
            match expected {
                Segment::Literal(literal) if *literal == segment => {}
                Segment::Parameter(name) if !segment.is_empty() => values.push((*name, segment)),
                Segment::Literal(_) | Segment::Parameter(_) => return None,
            }
        }
        segments.next().is_none().then_some(values)
    }
}

impl Segment {
    fn of(text: &'static str) -> Self {
        let parameter = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        parameter.map_or(Self::Literal(text), Self::Parameter)
    }
}

/// What stands behind each slash.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').skip(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_takes_itself_and_a_parameter_any_one_segment() {
        let pattern = Pattern::of("/jobs/{id}/log/{line}");
        let values = |path| pattern.values(path);
        assert_eq!(values("/jobs/7/log/é%2F"), Some(vec![("id", "7"), ("line", "é%2F")]));
        assert_eq!(values("/jobs/log/log/log"), Some(vec![("id", "log"), ("line", "log")]));
        for other in [
            "",
            "/",
            "/jobs",
            "/jobs/7/log",
            "/jobs/7/log/",
            "/jobs//log/1",
            "/jobs/7/log/1/",
            "/jobs/7/log/1/2",
            "/jobs/7/logs/1",
            "/Jobs/7/log/1",
            "/x/jobs/7/log/1",
            "jobs/7/log/1",
        ] {
            assert_eq!(values(other), None, "{other}");
        }
    }

    #[test]
    fn a_path_without_parameters_is_compared_as_it_is() {
        assert_eq!(Pattern::of("/jobs").values("/jobs"), Some(vec![]));
        assert_eq!(Pattern::of("/jobs").values("/job"), None);
    }
}
