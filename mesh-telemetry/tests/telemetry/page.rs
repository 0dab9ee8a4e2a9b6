//! The recorder of the whole program: installed once.

use mesh_telemetry::InstallError;

#[test]
fn the_page_is_one_line_away_and_there_is_one() {
    let page = mesh_telemetry::prometheus().unwrap();
    metrics::counter!("orders.taken", "shop" => "north").increment(2);
    metrics::describe_counter!("orders.taken", "Orders taken.");
    let due = "# HELP orders_taken_total Orders taken.\n# TYPE orders_taken_total counter\norders_taken_total{shop=\"north\"} 2\n";
    assert!(page.render().contains(due), "{}", page.render());
    assert_eq!(mesh_telemetry::prometheus().unwrap_err(), InstallError);
}
