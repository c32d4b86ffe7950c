//! Columns of text, aligned.

/// A cell: its text, and the same text as painted. Widths are counted on the text.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    text: String,
    painted: String,
}

impl Cell {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { painted: text.clone(), text }
    }

    pub(super) fn painted(text: impl Into<String>, painted: impl Into<String>) -> Self {
        Self { text: text.into(), painted: painted.into() }
    }

    /// Without paint.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

/// The rows with their columns aligned, two spaces apart, each line indented by two and without trailing blanks.
pub(super) fn aligned(rows: &[Vec<Cell>]) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            match widths.get_mut(column) {
                Some(width) => *width = (*width).max(cell.width()),
                None => widths.push(cell.width()),
            }
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::from("  ");
        let mut pending = 0;
        for (cell, width) in row.iter().zip(&widths) {
            if !cell.text.is_empty() {
                line.push_str(&" ".repeat(pending));
                line.push_str(&cell.painted);
                pending = 0;
            }
            pending += width - if cell.text.is_empty() { 0 } else { cell.width() } + 2;
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_paint() {
        let rows = [
            vec![Cell::plain("a"), Cell::plain("b")],
            vec![Cell::painted("long", "<long>"), Cell::plain("")],
            vec![Cell::plain(""), Cell::plain("c")],
        ];
        assert_eq!(aligned(&rows), "  a     b\n  <long>\n        c\n");
    }
}
