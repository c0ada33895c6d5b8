//! Reading a policy out of a proposer's reply (spec 07, 10.2).

use serde_json::{Map, Value};

use crate::event::sha256_hex;

/// Trees whose nodes get ids, in this order; the end-of-tick tree must bring its own.
const NUMBERED_TREES: [(&str, &str); 4] = [
    ("payment_tree", "payment"),
    ("strategic_collateral_tree", "strategic_collateral"),
    ("collateral_tree", "collateral"),
    ("bank_tree", "bank"),
];

/// The policy in a reply, completed; or why there is none.
///
/// # Errors
/// A text that begins with `Failed to parse policy JSON:`.
pub fn read(reply: &str) -> Result<Value, String> {
    let text = unfenced(reply.trim());
    let value: Value =
        serde_json::from_str(&text).map_err(|error| format!("Failed to parse policy JSON: {error}"))?;
    match value {
        Value::Object(policy) => Ok(completed(policy, reply)),
        _ => Err("Failed to parse policy JSON: not an object".to_owned()),
    }
}

/// The content of the first fenced block, if the text has fences.
fn unfenced(text: &str) -> String {
    const FENCE: &str = "```";
    let Some(start) = text.find(FENCE) else { return text.to_owned() };
    let inside = &text[start + FENCE.len()..];
    if let Some(end) = inside.find(FENCE) {
        let block = &inside[..end];
        return block.strip_prefix("json").unwrap_or(block).trim().to_owned();
    }
    if start > 0 {
        return text.to_owned();
    }
    let lines: Vec<&str> = text.lines().collect();
    let kept = if lines.len() > 2 { &lines[1..lines.len() - 1] } else { &lines[1..] };
    kept.join("\n")
}

/// The policy with version, id and node ids where they were missing.
fn completed(mut policy: Map<String, Value>, reply: &str) -> Value {
    let entry = |policy: &mut Map<String, Value>, key: &str, text: String| {
        if !policy.contains_key(key) {
            policy.insert(key.to_owned(), Value::String(text));
        }
    };
    entry(&mut policy, "version", "2.0".to_owned());
    entry(&mut policy, "policy_id", format!("llm_policy_{}", &sha256_hex(reply)[..8]));
    let mut nodes = 0;
    for (tree, prefix) in NUMBERED_TREES {
        if let Some(root) = policy.get_mut(tree) {
            number_nodes(root, prefix, &mut nodes);
        }
    }
    Value::Object(policy)
}

fn number_nodes(node: &mut Value, prefix: &str, nodes: &mut usize) {
    let Value::Object(node) = node else { return };
    if node.contains_key("type") && !node.contains_key("node_id") {
        *nodes += 1;
        node.insert("node_id".to_owned(), Value::String(format!("{prefix}_node_{nodes}")));
    }
    for branch in ["on_true", "on_false"] {
        if let Some(next) = node.get_mut(branch) {
            number_nodes(next, prefix, nodes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unclosed_fence_loses_its_first_and_last_line() {
        assert_eq!(unfenced("```json\n{}\nrest"), "{}");
        assert_eq!(unfenced("```json\n{}"), "{}");
        assert_eq!(unfenced("```"), "");
        assert_eq!(unfenced("a ``` b"), "a ``` b");
    }

    #[test]
    fn a_broken_reply_says_so() {
        assert!(read("{").is_err_and(|error| error.starts_with("Failed to parse policy JSON:")));
    }
}
