//! Reading an HTML page as a browser does.

use html5ever::{ParseOpts, parse_document, tendril::TendrilSink};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// A page as its elements, in the order of the document.
pub(crate) struct Page {
    pub(crate) elements: Vec<Element>,
    /// What the parser did not like.
    pub(crate) errors: Vec<String>,
}

/// One element.
pub(crate) struct Element {
    pub(crate) tag: String,
    pub(crate) attributes: Vec<(String, String)>,
    /// Tags of the elements around it, the outermost first.
    pub(crate) around: Vec<String>,
    /// All text in it.
    pub(crate) text: String,
    /// Its place among the elements, and where those inside it end.
    pub(crate) inside: std::ops::Range<usize>,
}

impl Page {
    pub(crate) fn parse(text: &str) -> Self {
        let dom = parse_document(RcDom::default(), ParseOpts::default()).one(text);
        let mut elements = Vec::new();
        walk(&dom.document, &mut Vec::new(), &mut elements);
        let errors = dom
            .errors
            .borrow()
            .iter()
            .map(ToString::to_string)
            .collect();
        Self { elements, errors }
    }

    pub(crate) fn all<'a>(&'a self, tag: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements.iter().filter(move |found| found.tag == tag)
    }

    /// Elements of a tag inside another element.
    pub(crate) fn inside<'a>(&'a self, outer: &Element, tag: &str) -> Vec<&'a Element> {
        let found = self.elements[outer.inside.clone()].iter();
        found.filter(|inner| inner.tag == tag).collect()
    }

    /// The cells of the table with a caption that begins so, row by row.
    #[track_caller]
    pub(crate) fn table(&self, caption: &str) -> Vec<Vec<String>> {
        let table = self.all("table").find(|table| {
            let captions = self.inside(table, "caption");
            captions.iter().any(|found| found.text.starts_with(caption))
        });
        let table = table.unwrap_or_else(|| unreachable!("no table `{caption}`"));
        let rows = self.inside(table, "tr").into_iter().skip(1);
        rows.map(|row| {
            let cells = self.elements[row.inside.clone()].iter();
            let cells = cells.filter(|cell| cell.tag == "td" || cell.tag == "th");
            cells.map(|cell| cell.text.clone()).collect()
        })
        .collect()
    }
}

impl Element {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Collects the elements below a node; the text in it.
fn walk(node: &Handle, around: &mut Vec<String>, elements: &mut Vec<Element>) -> String {
    let place = match &node.data {
        NodeData::Text { contents } => return contents.borrow().to_string(),
        NodeData::Element { name, attrs, .. } => {
            elements.push(Element {
                tag: name.local.to_string(),
                attributes: attrs
                    .borrow()
                    .iter()
                    .map(|one| (one.name.local.to_string(), one.value.to_string()))
                    .collect(),
                around: around.clone(),
                text: String::new(),
                inside: 0..0,
            });
            around.push(name.local.to_string());
            Some(elements.len() - 1)
        }
        NodeData::Document
        | NodeData::Doctype { .. }
        | NodeData::Comment { .. }
        | NodeData::ProcessingInstruction { .. } => None,
    };
    let children = node.children.borrow();
    let text: String = children
        .iter()
        .map(|child| walk(child, around, elements))
        .collect();
    if let Some(place) = place {
        around.pop();
        elements[place].inside = place + 1..elements.len();
        elements[place].text.clone_from(&text);
    }
    text
}
