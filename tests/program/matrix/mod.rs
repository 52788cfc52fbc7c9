//! explore
mod stage;
use postroom::sandbox::Fault;
use stage::{Setting, Stage};

#[test]
fn explore() {
    let which = std::env::var("CELLS").unwrap_or_default();
    std::thread::scope(|scope| {
        for cell in which.split(';').map(str::to_owned) {
            scope.spawn(move || {
                let (mode, faults) = cell.split_once(' ').unwrap();
                let faults: Vec<Fault> = faults.split('+').map(|f| f.parse().unwrap()).collect();
                let secure = mode.contains('t');
                let deadlines = "deadlines = { connect = \"2s\", command = \"2s\", data = \"2s\", final = \"2s\" }";
                let large: Option<fn(&str) -> bool> = if mode.contains('L') { Some(|p| p == "bob") } else { None };
                let clock = postroom::clock::Clock::system();
                let watch = clock.stopwatch();
                let stage = Stage::set(&Setting { faults: &faults, secure, account: deadlines, large });
                let one = stage.send(&["--no-wait"]);
                let t1 = watch.elapsed();
                let seen = stage.seen();
                let report = stage.home.run(&["report", "news", "--format", "csv"]).out;
                let status = stage.home.run(&["status", "news", "--json"]).out;
                let two = stage.send(&[]);
                let t2 = watch.elapsed();
                let seen2 = stage.seen();
                let rec = |s: &postroom::sandbox::Snapshot| s.records.iter().map(|r| r.recipients.iter().map(|x| x.split('@').next().unwrap()).collect::<Vec<_>>().join(",")).collect::<Vec<_>>().join(" | ");
                let rep: Vec<String> = report.lines().skip(1).map(|l| { let v: Vec<&str> = l.split(',').collect(); format!("  {} {} att={} {}", v[1], v[2], v[7], v[8..].join(",")) }).collect();
                let st: serde_json::Value = serde_json::from_str(&status).unwrap();
                println!("=== {cell}  t1={t1:?} t2={t2:?}\nexit {} conns {} struck {:?} server: {}\nOUT {}ERR {}{}\nstate {} next {} because {}\nrun2 exit {} server: {}\n{}{}\n", one.code, seen.connections, seen.faults, rec(&seen), one.out, one.err, rep.join("\n"), st["state"], st["next_send_at"], st["stopped_because"], two.code, rec(&seen2), two.out, two.err);
            });
        }
    });
}
