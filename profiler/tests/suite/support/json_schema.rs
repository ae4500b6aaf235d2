//! As much of JSON Schema (draft 2020-12) as our schemas use. A keyword that is
//! not known here fails the test, so that nothing is passed over in silence.

use serde_json::Value;

/// What is wrong with a document, a sentence for each thing.
pub(crate) fn errors(schema: &Value, document: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    check(schema, schema, document, "", &mut errors);
    errors
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, errors: &mut Vec<String>) {
    let Some(keywords) = schema.as_object() else {
        assert!(schema.is_boolean(), "{schema} is no schema");
        if *schema == Value::Bool(false) {
            errors.push(format!("{at} must not be there"));
        }
        return;
    };
    for (keyword, rule) in keywords {
        match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "default" | "format" => {}
            "$ref" => {
                let pointer = rule.as_str().and_then(|text| text.strip_prefix('#'));
                let target = pointer.and_then(|pointer| root.pointer(pointer));
                check(root, target.expect("a definition"), value, at, errors);
            }
            "type" => {
                let is_one = rule.as_array().map_or_else(
                    || is_type(value, rule),
                    |types| types.iter().any(|kind| is_type(value, kind)),
                );
                if !is_one {
                    errors.push(format!("{at} is {value} and not {rule}"));
                }
            }
            "const" => {
                if rule != value {
                    errors.push(format!("{at} is {value} and not {rule}"));
                }
            }
            "enum" => {
                if !rule.as_array().expect("values").contains(value) {
                    errors.push(format!("{at} is {value} and none of {rule}"));
                }
            }
            "minimum" | "maximum" => {
                if let (Some(value), Some(bound)) = (value.as_f64(), rule.as_f64()) {
                    let is_within = if keyword == "minimum" {
                        value >= bound
                    } else {
                        value <= bound
                    };
                    if !is_within {
                        errors.push(format!("{at} is {value}, {keyword} {bound}"));
                    }
                }
            }
            "anyOf" | "oneOf" => {
                let matches = |schema: &&Value| {
                    let mut wrong = Vec::new();
                    check(root, schema, value, at, &mut wrong);
                    wrong.is_empty()
                };
                let matching = rule.as_array().expect("schemas").iter().filter(matches);
                let matching = matching.count();
                if matching == 0 || (keyword == "oneOf" && matching > 1) {
                    errors.push(format!("{at} is {matching} {keyword} its forms"));
                }
            }
            "required" => {
                let fields = rule.as_array().expect("names").iter();
                for field in fields.filter_map(Value::as_str) {
                    if value.is_object() && value.get(field).is_none() {
                        errors.push(format!("{at}/{field} is missing"));
                    }
                }
            }
            "properties" => {
                for (field, rule) in rule.as_object().expect("properties") {
                    if let Some(value) = value.get(field) {
                        check(root, rule, value, &format!("{at}/{field}"), errors);
                    }
                }
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                for (field, value) in value.as_object().into_iter().flatten() {
                    if known.is_none_or(|known| !known.contains_key(field)) {
                        check(root, rule, value, &format!("{at}/{field}"), errors);
                    }
                }
            }
            "items" => {
                for (place, value) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, value, &format!("{at}/{place}"), errors);
                }
            }
            other => assert!(other.is_empty(), "the keyword `{other}` is not known here"),
        }
    }
}

fn is_type(value: &Value, kind: &Value) -> bool {
    match kind.as_str().expect("a type's name") {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        _ => false,
    }
}
