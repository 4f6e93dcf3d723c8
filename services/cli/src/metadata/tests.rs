use callqa_proto::wire::{ChannelLayout, Direction, EndedBy, Purpose};

use super::*;

fn read_text(text: &str) -> Result<Sheet, SheetError> {
    read(Path::new("calls.csv"), text.as_bytes())
}

#[track_caller]
fn check(text: &str, expect: &[&str]) {
    let mistakes = read_text(text).map_or_else(|error| error.mistakes, |_| Vec::new());
    let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(mistakes.len(), expect.len(), "{mistakes:#?}");
    for (mistake, start) in mistakes.iter().zip(expect) {
        assert!(mistake.starts_with(start), "{mistake:?} does not begin with {start:?}");
    }
}

#[test]
fn every_column_reaches_the_event() {
    let text = "file,call_id,queue,agent_id,customer_id,direction,started_at,answered_at,ended_by,language,\
                auto_announced,layout,campaign\n\
                a.wav,c1,billing,1024,c-9,inbound,2026-03-02T09:14:05+08:00,2026-03-02T09:14:17+08:00,agent,\
                zh-CN,true,customer-first,spring\n";
    let sheet = read_text(text).unwrap();
    let row = sheet.row("a.wav").unwrap();
    let event = &row.event;
    assert_eq!((row.line, event.call_id.as_str(), event.queue.as_deref()), (2, "c1", Some("billing")));
    assert_eq!(event.legs[0].agent_id, "1024");
    assert_eq!(event.direction, i32::from(Direction::Inbound));
    assert_eq!(event.ended_by, i32::from(EndedBy::Agent));
    assert_eq!(event.channel_layout, i32::from(ChannelLayout::CustomerFirst));
    assert_eq!((event.agent_language.as_deref(), event.auto_announced), (Some("zh-CN"), Some(true)));
    assert_eq!(event.labels, BTreeMap::from([("campaign".to_owned(), "spring".to_owned())]));
}

#[test]
fn empty_cells_are_not_known_and_the_call_id_is_the_file_stem() {
    let sheet = read_text("file,queue,language\nb 7.opus,,auto\n").unwrap();
    let event = &sheet.rows[0].event;
    assert_eq!((event.call_id.as_str(), event.queue.as_deref()), ("b 7", None));
    assert_eq!((event.agent_language.as_deref(), event.auto_announced), (None, None));
}

#[test]
fn blank_lines_a_byte_order_mark_and_spaces_do_not_matter() {
    let sheet = read_text("\u{feff}file , queue\n\n a.wav , billing \n,\n").unwrap();
    assert_eq!(sheet.rows.len(), 1);
    assert_eq!(sheet.rows[0].event.queue.as_deref(), Some("billing"));
}

#[test]
fn all_mistakes_come_at_once_with_line_and_column() {
    check(
        "file,direction,started_at,answered_at,ended_by,language,auto_announced\n\
         a.wav,sideways,yesterday,,nobody,fr,perhaps\n\
         ,inbound,,,,,\n\
         c.wav,,2026-03-02T09:14:17+08:00,2026-03-02T09:14:05+08:00,,,\n",
        &[
            "line 2, column 2 (direction): is none of inbound, outbound, unknown",
            "line 2, column 5 (ended_by): is none of",
            "line 2, column 7 (auto_announced): is neither true nor false",
            "line 2, column 3 (started_at): must be an RFC 3339 date",
            "line 2, column 6 (language): is no language that can be judged",
            "line 3, column 1 (file): is empty",
            "line 4, column 4 (answered_at): must not come before started_at",
        ],
    );
}

#[test]
fn a_sheet_without_a_file_column_is_refused_whole() {
    check("call_id\nc1\n", &["line 1: there is no column `file`"]);
    check("", &["line 1: is empty"]);
    check("file,queue,queue\n", &["line 1, column 2 (queue): two columns have this name"]);
}

#[test]
fn rows_of_another_width_are_named() {
    check("file,queue\na.wav\nb.wav,x,y\n", &["line 2: has 1 cells", "line 3: has 3 cells"]);
}

#[test]
fn no_file_and_no_call_id_twice() {
    check("file\na.wav\nb.wav\na.wav\n", &["line 4, column 1 (file): line 2 has the same file", "line 4"]);
    check("file,call_id\na.wav,x\nb.wav,x\n", &["line 3, column 2 (call_id): line 2 has the same call id"]);
    check("file\na.wav\na.mp3\n", &["line 3, column 1 (file): line 2 has the same call id"]);
}

#[test]
fn text_in_another_encoding_is_told_from_nonsense() {
    let error = read(Path::new("calls.csv"), b"file,queue\na.wav,\xb7\xfe\xce\xf1\n").unwrap_err();
    assert!(error.to_string().contains("line 2, column 2 (queue): is not UTF-8"), "{error}");
}

#[test]
fn other_folders_and_oversized_cells_are_refused() {
    check("file\n../a.wav\n", &["line 2, column 1 (file): names a file in another folder"]);
    check(&format!("file,queue\na.wav,{}\n", "q".repeat(300)), &["line 2, column 2 (queue): is 300 bytes"]);
    check(&format!("file,note\na.wav,{}\n", "n".repeat(2000)), &["line 2: labels: a value is 2000 bytes"]);
}

#[test]
fn a_customer_who_refused_and_the_other_fields_reach_the_event() {
    let text = "file,Opted_Out,answered_by_machine,purpose,interaction_id,language,agent_language,customer_language\n\
                a.wav,true,yes,test,i-1,zh,en,\n\
                b.wav,false,,,,zh,auto,en\n\
                c.wav,,,,,,,\n";
    let sheet = read_text(text).unwrap();
    let events: Vec<&CallRecorded> = sheet.rows.iter().map(|row| &row.event).collect();
    assert_eq!(events.iter().map(|e| e.opted_out).collect::<Vec<_>>(), [Some(true), Some(false), None]);
    assert_eq!((events[0].answered_by_machine, events[1].answered_by_machine), (Some(true), None));
    let test = i32::from(Purpose::Test);
    assert_eq!((events[0].purpose, events[0].interaction_id.as_deref()), (test, Some("i-1")));
    let languages: Vec<_> =
        events.iter().map(|e| (e.agent_language.as_deref(), e.customer_language.as_deref())).collect();
    assert_eq!(languages, [(Some("en"), Some("zh")), (None, Some("en")), (None, None)]);
    assert!(events.iter().all(|event| event.labels.is_empty()));
}

#[test]
fn wrong_cells_of_these_are_named() {
    check(
        "file,opted_out,purpose,language,agent_language\na.wav,refused,trial,fr,zh\nb.wav,,,zh,fr\n",
        &[
            "line 2, column 3 (purpose): is none of live, backfill, reprocess, test",
            "line 2, column 2 (opted_out): is neither true nor false",
            "line 2, column 4 (language): is no language",
            "line 3, column 5 (agent_language): is no language",
        ],
    );
}

#[test]
fn a_field_that_no_column_can_give_says_what_to_write_in_its_place() {
    check(
        "file,Revision,channel_layout,holds\na.wav,1,mono,\n",
        &[
            "line 1, column 2 (revision): is a field of the event that no column can give; leave it out",
            "line 1, column 3 (channel_layout): is a field of the event that no column can give; write a column layout",
            "line 1, column 4 (holds): is a field",
        ],
    );
}

#[test]
fn no_field_of_the_event_becomes_a_label() {
    let (_, schema) = callqa_proto::schema::all().remove(0);
    let fields = schema["properties"].as_object().unwrap();
    assert!(fields.contains_key("opted_out"), "not the schema of the event");
    for field in fields.keys() {
        if let Ok(sheet) = read_text(&format!("file,{field}\na.wav,true\n")) {
            assert!(sheet.rows[0].event.labels.is_empty(), "{field}");
        }
    }
}

/// `known` is the column that a label of this name was meant to be.
#[track_caller]
fn check_nearly(label: &str, known: &str) {
    let error = read_text(&format!("file,{label}\na.wav,true\n")).unwrap_err();
    let said = format!(
        "calls.csv: 1 mistake\n  line 1, column 2 ({label}): is nearly `{known}`; name it so, or, where it is a \
         label, add an empty column `{known}` too"
    );
    assert_eq!(error.to_string(), said);
}

#[test]
fn what_is_nearly_a_column_becomes_no_label() {
    for label in ["opt_out", "Opt-Out", "optout", "OptedOut", "Opted out", "opted_ou", "opted_uot"] {
        check_nearly(label, "opted_out");
    }
    check_nearly("Agent ID", "agent_id");
    check_nearly("agentId", "agent_id");
    check_nearly("agent", "agent_id");
    check_nearly("lang", "language");
    check_nearly("langauge", "language");
    check_nearly("time", "started_at");
    check_nearly("Channel Layout", "layout");
    check_nearly("queues", "queue");
    check_nearly("answered by machine", "answered_by_machine");
}

#[test]
fn other_names_are_labels_and_so_is_one_beside_the_column_itself() {
    let labels = [
        "team",
        "VIP",
        "campaign",
        "region",
        "title",
        "tile",
        "payout",
        "called",
        "ended_at",
        "answered_by",
        "号码",
    ];
    let text = format!("file,{}\na.wav{}\n", labels.join(","), ",x".repeat(labels.len()));
    let sheet = read_text(&text).unwrap();
    let named: BTreeSet<&str> = sheet.rows[0].event.labels.keys().map(String::as_str).collect();
    assert_eq!(named, BTreeSet::from(labels));
    let sheet = read_text("file,lang,language\na.wav,Cantonese,\n").unwrap();
    let labels = BTreeMap::from([("lang".to_owned(), "Cantonese".to_owned())]);
    assert_eq!(sheet.rows[0].event.labels, labels);
    assert_eq!(sheet.rows[0].event.agent_language, None);
}

#[test]
fn labels_keep_the_case_of_their_names() {
    let sheet = read_text("File,QUEUE,VIP,vip\na.wav,billing,yes,no\n").unwrap();
    let event = &sheet.rows[0].event;
    let labels = [("VIP".to_owned(), "yes".to_owned()), ("vip".to_owned(), "no".to_owned())];
    assert_eq!((event.queue.as_deref(), &event.labels), (Some("billing"), &BTreeMap::from(labels)));
}

#[test]
fn an_unclosed_quote_swallows_no_rows() {
    check(
        "file,queue\na.wav,\"billing\nb.wav,sales\n",
        &["line 2, column 2 (queue): has a line break; close the quote"],
    );
    check("file,queue\na.wav,\"\nb.wav,sales\n", &["line 2, column 2 (queue): has a line break"]);
    check("file,\"queue\na.wav,billing\n", &["line 1, column 2 (no name): has a line break"]);
    check("file,queue\r\na.wav,\"billing\r\n", &["line 2, column 2 (queue): has a line break"]);
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    check("file\r\na.wav\r\n\r\na.wav\r\n", &["line 4, column 1 (file): line 2 has the same file", "line 4"]);
    check("\n\ncall_id\n", &["line 3: there is no column `file`"]);
}
