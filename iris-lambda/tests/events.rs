//! Real events, to the character of their responses.

mod common;

use common::Server;

const HEADERS: &str = r#"{"content-type": "application/json", "access-control-allow-origin": "*"}"#;
const PREFLIGHT: &str = r#"{"access-control-allow-origin": "*", "access-control-allow-methods": "GET, POST, OPTIONS", "access-control-allow-headers": "authorization, content-type, x-amz-date, x-amz-security-token, x-api-key", "access-control-max-age": "86400"}"#;
const HEALTH: &str = r#""{\"model\": \"iris\", \"inputs\": [{\"name\": \"X\", \"type\": \"tensor(float)\", \"shape\": [null, 4]}], \"classes\": [0, 1, 2]}""#;
const SETOSA: &str = r#""{\"prediction\": [0]}""#;
const VIRGINICA: &str = r#""{\"prediction\": [2]}""#;

fn bare(status: u16, body: &str) -> String {
    format!("{{\"statusCode\": {status}, \"body\": {body}}}")
}

fn rest_api(status: u16, body: &str, headers: &str) -> String {
    format!(
        "{{\"statusCode\": {status}, \"body\": {body}, \"headers\": {headers}, \"isBase64Encoded\": false}}"
    )
}

fn http_api(status: u16, body: &str, headers: &str) -> String {
    rest_api(status, body, headers).replace("false}", "false, \"cookies\": []}")
}

fn load_balancer(status: &str, body: &str, headers: &str) -> String {
    let code = status.split(' ').next().unwrap_or_default();
    format!(
        "{{\"statusCode\": {code}, \"statusDescription\": \"{status}\", \"body\": {body}, {headers}, \"isBase64Encoded\": false}}"
    )
}

fn single(headers: &str) -> String {
    format!("\"headers\": {headers}")
}

fn multi(headers: &str) -> String {
    let mut members = Vec::new();
    for member in headers.trim_matches(['{', '}']).split("\", \"") {
        let (name, value) = member
            .trim_matches('"')
            .split_once("\": \"")
            .expect("a header has a value");
        members.push(format!("\"{name}\": [\"{value}\"]"));
    }
    format!("\"multiValueHeaders\": {{{}}}", members.join(", "))
}

/// One test for each file in tests/data, which must all be named here.
macro_rules! events {
    ($($name:ident => $response:expr,)*) => {
        $(
            #[test]
            fn $name() {
                let event = include_str!(concat!("data/", stringify!($name), ".json"));
                assert_eq!(Server::start(&[]).invoke(event), $response);
            }
        )*

        #[test]
        fn every_event_has_its_test() {
            let mut tested = [$(concat!(stringify!($name), ".json")),*];
            tested.sort_unstable();
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
            let files = std::fs::read_dir(folder).expect("the folder is there");
            let mut files: Vec<_> = files
                .map(|file| file.expect("it can be read").file_name())
                .collect();
            files.sort_unstable();
            assert_eq!(files, tested);
        }
    };
}

events! {
    original_setosa => bare(200, SETOSA),
    original_virginica => bare(200, VIRGINICA),
    direct => bare(200, VIRGINICA),
    direct_probabilities => bare(
        200,
        r#""{\"prediction\": [2], \"probability\": [[0.008308806456625462, 0.02759426273405552, 0.9640969038009644]]}""#,
    ),
    direct_no_values => bare(400, r#""\"Error: Missing input values.\"""#),
    rest_v1 => rest_api(200, VIRGINICA, HEADERS),
    rest_v1_base64 => rest_api(200, SETOSA, HEADERS),
    rest_v1_text => rest_api(200, r#""{\"prediction\": [0, 2]}""#, HEADERS),
    rest_v1_no_body => rest_api(400, r#""\"Error: Missing input values.\"""#, HEADERS),
    rest_v1_preflight => rest_api(204, "\"\"", PREFLIGHT),
    http_v2 => http_api(200, VIRGINICA, HEADERS),
    http_v2_base64 => http_api(200, VIRGINICA, HEADERS),
    http_v2_health => http_api(200, HEALTH, HEADERS),
    http_v2_preflight => http_api(204, "\"\"", PREFLIGHT),
    function_url => http_api(200, VIRGINICA, HEADERS),
    function_url_base64 => http_api(200, VIRGINICA, HEADERS),
    function_url_preflight => http_api(204, "\"\"", PREFLIGHT),
    alb => load_balancer("200 OK", VIRGINICA, &single(HEADERS)),
    alb_base64 => load_balancer("200 OK", VIRGINICA, &single(HEADERS)),
    alb_bad_body => load_balancer(
        "400 Bad Request",
        r#""\"Error: body: not valid JSON: expected value at line 1 column 1\"""#,
        &single(HEADERS),
    ),
    alb_health_check => load_balancer("200 OK", HEALTH, &single(HEADERS)),
    alb_multi_value => load_balancer("200 OK", VIRGINICA, &multi(HEADERS)),
    alb_multi_value_health_check => load_balancer("200 OK", HEALTH, &multi(HEADERS)),
    alb_multi_value_preflight => load_balancer("204 No Content", "\"\"", &multi(PREFLIGHT)),
}
