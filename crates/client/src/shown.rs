//! What others have written, on its way to a terminal.

/// A text with a `?` for every character that would do something to a terminal rather than be read on it.
pub fn shown(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if steers(c) { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(shown("\u{1b}[2Jé \u{202e}x\r\n"), "?[2Jé ?x??");
    }
}
