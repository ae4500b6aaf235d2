//! A document says the same on a terminal, in Markdown and on a page.

use modeswitch::{
    compare::{build, side::Group},
    gate::{
        judge::{Named, against_budget},
        parse,
    },
    profile::{
        merge::programs::By,
        model::{Profile, Tool},
    },
    report::{
        check_view, comparison_view, experiment_view, html, markdown, profile_view,
        style::Look,
        terminal,
        view::{Block, Kind, Table, View},
    },
};

use crate::{
    formats::{PROFILES, data},
    html::{saved_experiment, saved_profile},
    support::{dom::Page, profile::from_file},
};

/// Rows that every rendering has room for.
const ROWS: usize = 40;

/// Two profiles side by side, and one of them judged by a budget.
fn compared_and_checked(profiles: &[Profile]) -> [View; 2] {
    let sides: Vec<Group> = profiles
        .iter()
        .map(|profile| Group {
            label: profile.target.command.join(" "),
            files: Vec::new(),
            profiles: vec![profile.clone()],
        })
        .collect();
    let compared = build::compare(&sides, Tool::default());
    let budget = include_str!("../data/gate/budget.toml");
    let budget = parse::parse(budget).expect("a budget");
    let run = Named {
        name: "run".to_owned(),
        profile: profiles[0].clone(),
    };
    let verdict = against_budget(&budget, "budget.toml", &[run]);
    [comparison_view::view(&compared), check_view::view(&verdict)]
}

fn views() -> Vec<View> {
    let saved = PROFILES.map(|name| {
        let value = from_file(&data(name, "json"));
        serde_json::from_value::<Profile>(value.0).expect("a profile")
    });
    let others = compared_and_checked(&saved[..2]);
    let profiles = saved
        .iter()
        .chain([&saved_profile()])
        .map(|profile| profile_view::view(profile, By::default()))
        .collect::<Vec<_>>();
    let experiment = experiment_view::view(&saved_experiment());
    profiles
        .into_iter()
        .chain([experiment])
        .chain(others)
        .collect()
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut text = Vec::new();
    write(&mut text).expect("memory");
    String::from_utf8(text).expect("UTF-8")
}

/// The numbers of a table, row by row, out of rows of texts.
fn numbers<'a>(table: &Table, rows: impl Iterator<Item = Vec<&'a str>>) -> Vec<Vec<String>> {
    let is_number: Vec<bool> = table
        .columns
        .iter()
        .map(|column| matches!(column.kind, Kind::Number | Kind::Id))
        .collect();
    let rows = rows.filter(|row| row.len() == is_number.len());
    let rows = rows.map(|row| {
        let cells = row.into_iter().zip(&is_number);
        let numbers = cells.filter(|(_, is_number)| **is_number);
        numbers.map(|(cell, _)| cell.to_owned()).collect()
    });
    rows.collect()
}

/// Each table's numbers, to the digit and in the same order, are in each rendering.
#[test]
fn every_rendering_has_the_same_numbers() {
    for view in views() {
        let wide = written(|out| terminal::write(&view, Look::WIDE, out));
        let markdown = written(|out| markdown::write(&view, out));
        let markdown = [("&lt;", "<"), ("&gt;", ">"), ("\\*", "*")]
            .into_iter()
            .fold(markdown, |text, (from, to)| text.replace(from, to));
        let page = Page::parse(&written(|out| html::write(&view, out)));
        let blocks = view.sections.iter().flat_map(|section| &section.blocks);
        let mut tables = 0;
        for block in blocks {
            let Block::Table(table) = block else { continue };
            tables += 1;
            let rows = table.rows.iter().take(ROWS);
            let rows = rows.map(|row| row.iter().map(|cell| cell.text.as_str()).collect());
            let expected = numbers(table, rows);
            let lines = |text: &str, bars: usize| {
                let lines = text.lines().map(|line| {
                    let line = line
                        .get(bars..line.len().max(bars) - bars)
                        .unwrap_or_default();
                    line.split('|').map(str::trim).collect()
                });
                numbers(table, lines)
            };
            for (name, found) in [
                ("terminal", lines(&wide, 0)),
                ("Markdown", lines(&markdown, 1)),
            ] {
                let length = expected.len();
                let is_there = found.windows(length).any(|rows| rows == expected);
                assert!(is_there, "{name}: {}: {expected:?}", table.caption);
            }
            let cells = page.table(&table.caption);
            let cells = cells.iter().take(ROWS);
            let cells = cells.map(|row| row.iter().map(String::as_str).collect());
            assert_eq!(numbers(table, cells), expected, "{}", table.caption);
        }
        assert!(tables > 0, "{}: {tables} tables", view.kind);
    }
}
