//! The command line.

use crate::support::command;

#[tokio::test]
async fn what_is_wrong_is_said_in_one_line() {
    let wrong = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(wrong.path(), r#"{"xds_servers": []}"#).unwrap();
    let wrong = wrong.path().to_str().unwrap();
    let listen = ["--listen", "127.0.0.1:0=outbound"];
    for (arguments, said) in [
        (vec![], "--listen <ADDRESS=LISTENER>"),
        (
            vec!["--listen", "15001"],
            "is not of the form ADDRESS=LISTENER",
        ),
        (vec!["--listen", "here=outbound"], "\"here\" is no address"),
        (vec!["--colour", "red"], "unexpected argument '--colour'"),
        (listen.to_vec(), "GRPC_XDS_BOOTSTRAP"),
        (
            [&listen[..], &["--bootstrap", wrong]].concat(),
            "xds_servers",
        ),
        (
            [&listen[..], &["--bootstrap", "/nowhere/bootstrap.json"]].concat(),
            "/nowhere/bootstrap.json",
        ),
        ([&listen[..], &["--workers", "0"]].concat(), "--workers"),
        ([&listen[..], &["--dialect", "istio"]].concat(), "--dialect"),
        ([&listen[..], &["--admin", "15000"]].concat(), "--admin"),
        (
            [&listen[..], &["--drain-timeout", "soon"]].concat(),
            "--drain-timeout",
        ),
        (vec!["--listen", "127.0.0.1:0="], "ADDRESS=LISTENER"),
    ] {
        let output = command().args(&arguments).output().await.unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
        assert!(errors.contains(said), "{arguments:?}: {errors}");
        assert!(errors.matches("No such file").count() <= 1, "{errors}");
    }
    let help = command().arg("--help").output().await.unwrap();
    assert!(help.status.success());
    let help = String::from_utf8(help.stdout).unwrap();
    for said in [
        "Example:",
        "--drain-timeout",
        "/metrics",
        "/explain?",
        "SIGTERM",
    ] {
        assert!(help.contains(said), "{said}: {help}");
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_said_in_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let listen = format!("{taken}=outbound");
    let bootstrap = r#"{"xds_servers":[{"server_uri":"127.0.0.1:1",
        "channel_creds":[{"type":"insecure"}]}],"node":{"id":"sidecar-1"}}"#;
    for arguments in [
        ["--listen", &listen, "--workers", "1"],
        ["--listen", "127.0.0.1:0=outbound", "--admin", &taken],
    ] {
        let mut command = command();
        let command = command.env("GRPC_XDS_BOOTSTRAP_CONFIG", bootstrap);
        let output = command.args(arguments).output().await.unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains(&taken), "{errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
}
