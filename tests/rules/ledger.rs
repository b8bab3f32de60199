//! The account of the catalogue: 213 rule ids, each proven by a named test.

/// How many rules each process has; ids run from 01 without a gap.
const CATALOGUE: [(char, u32); 5] = [('A', 68), ('B', 44), ('C', 34), ('D', 30), ('E', 37)];

/// Where the tests stand: a file for each process, and one for what a verdict alone cannot show.
pub const SOURCES: [&str; 6] = [
    include_str!("a.rs"),
    include_str!("b.rs"),
    include_str!("c.rs"),
    include_str!("d.rs"),
    include_str!("e.rs"),
    include_str!("beyond.rs"),
];

/// Rule id -> the test that proves what the verdict says of it.
pub const PROVEN: &[(&str, &str)] = &[
    ("A-01", "a_01_no_diagnosis_on_the_ticket_holds_the_unit"),
    ("A-02", "a_02_an_unqualified_ticket_is_flagged_early_and_still_judged"),
    ("A-03", "a_03_a_received_unit_is_diagnosed_here_before_the_vendor"),
    ("A-04", "a_04_the_vendor_waits_for_the_confirmation_here_and_for_warranty"),
    ("A-05", "a_05_credit_or_replacement_is_recorded_before_closing"),
    ("A-06", "a_06_a_replacement_from_the_vendor_ships_only_after_its_test"),
    ("A-07", "a_07_no_diagnosis_holds_a_partners_unit"),
    ("A-08", "a_08_a_partners_unqualified_ticket_is_flagged_early"),
    ("A-09", "a_09_a_partners_vendor_rma_needs_no_confirmation_here"),
    ("A-10", "a_10_a_partners_vendor_result_is_recorded_before_closing"),
    ("A-11", "a_11_the_replacement_goes_to_the_reseller"),
    ("A-12", "a_12_age_counts_from_the_first_ship_date"),
    ("A-13", "a_13_day_0_to_30_is_within_30_days"),
    ("A-14", "a_14_day_31_to_the_last_day_of_warranty_is_in_warranty"),
    ("A-15", "a_15_the_day_after_the_last_one_is_after_warranty"),
    ("A-16", "a_16_within_30_days_direct_is_replace"),
    ("A-17", "a_17_original_packaging_is_asked_and_otherwise_managements_decision"),
    ("A-18", "a_18_why_it_did_not_work_must_be_answered"),
    ("A-19", "a_19_management_is_told_once_with_the_ticket"),
    ("A-20", "a_20_we_pay_to_ship_the_replacement"),
    ("A-21", "a_21_we_pay_ground_back_to_us"),
    ("A-22", "a_22_an_advance_replacement_may_be_offered_up_to_day_30"),
    ("A-23", "a_23_an_advance_replacement_needs_a_ticket"),
    ("A-24", "a_24_the_advance_is_billed_when_the_original_stays_out_past_day_30"),
    ("A-25", "a_25_no_deductible_within_30_days"),
    ("A-26", "a_26_within_30_days_reseller_is_replace"),
    ("A-27", "a_27_a_partners_packaging_is_asked_and_otherwise_managements_decision"),
    ("A-28", "a_28_management_is_told_of_a_partners_unit"),
    ("A-29", "a_29_we_pay_from_the_distributor_back_to_us"),
    ("A-30", "a_30_we_pay_to_the_distributor"),
    ("A-31", "a_31_the_partner_pays_ground_to_us"),
    ("A-32", "a_32_no_advance_replacement_for_partners"),
    ("A-33", "a_33_the_refusal_says_to_keep_spares"),
    ("A-34", "a_34_no_deductible_for_partners_within_30_days"),
    ("A-35", "a_35_past_day_30_the_client_pays_to_us"),
    ("A-36", "a_36_past_day_30_we_pay_ground_back"),
    ("A-37", "a_37_45_dollars_deductible_per_phone"),
    ("A-38", "a_38_no_advance_replacement_past_day_30"),
    ("A-39", "a_39_past_day_30_the_partner_pays_to_us"),
    ("A-40", "a_40_past_day_30_we_pay_ground_back_to_the_partner"),
    ("A-41", "a_41_no_advance_replacement_for_partners_past_day_30"),
    ("A-42", "a_42_45_dollars_deductible_for_partners"),
    ("A-43", "a_43_past_day_30_the_outcome_decides"),
    ("A-44", "a_44_each_cell_stands_alone"),
    ("A-45", "a_45_an_unknown_channel_is_held_in_no_column"),
    ("A-46", "a_46_after_warranty_goes_to_the_partner_team"),
    ("A-47", "a_47_a_partners_unit_after_warranty_goes_to_the_partner_team"),
    ("A-48", "a_48_the_brand_sets_the_length_from_the_first_ship_date"),
    ("A-49", "a_49_a_used_replacement_refuses_the_next_one"),
    ("A-50", "a_50_the_count_follows_the_line_of_units"),
    ("A-51", "a_51_a_replacement_inherits_the_end_of_warranty"),
    ("A-52", "a_52_dead_on_arrival_by_day_30_restarts_the_warranty_once"),
    ("A-53", "a_53_htek_4_years"),
    ("A-54", "a_54_htek_at_most_one_replacement"),
    ("A-55", "a_55_nothing_goes_to_htek_without_their_number"),
    ("A-56", "a_56_yealink_2_years"),
    ("A-57", "a_57_grandstream_2_years"),
    ("A-58", "a_58_snom_3_years"),
    ("A-59", "a_59_polycom_2_years"),
    ("A-60", "a_60_four_brands_go_to_the_units_own_distributor"),
    ("A-61", "a_61_nothing_goes_to_the_distributor_without_a_number"),
    ("A-62", "a_62_no_trouble_found_goes_back"),
    ("A-63", "a_63_first_ask_whether_they_want_it_back"),
    ("A-64", "a_64_back_by_ground_unless_they_want_rush_and_pay"),
    ("A-65", "a_65_repaired_goes_ground_from_day_31"),
    ("A-66", "a_66_repaired_goes_rush_up_to_day_30"),
    ("A-67", "a_67_replaced_goes_ground_from_day_31"),
    ("A-68", "a_68_replaced_goes_rush_up_to_day_30"),
    ("B-01", "b_01_no_ticket_holds_the_box"),
    ("B-02", "b_02_no_troubleshooting_holds_the_unit"),
    ("B-03", "b_03_no_number_before_the_technician_wants_it_on_the_bench"),
    ("B-04", "b_04_the_rma_mail_bears_both_numbers"),
    ("B-05", "b_05_the_rma_mail_says_all_that_the_return_needs"),
    ("B-06", "b_06_diagnosis_is_due_on_the_day_of_receipt"),
    ("B-07", "b_07_resolution_is_due_two_business_days_after_the_receipt"),
    ("B-08", "b_08_an_undiscovered_fault_is_extended_not_late"),
    ("B-09", "b_09_out_of_stock_is_admitted"),
    ("B-10", "b_10_repaired_units_go_ground"),
    ("B-11", "b_11_five_business_days_on_the_way"),
    ("B-12", "b_12_expedited_only_with_its_charge"),
    ("B-13", "b_13_out_of_warranty_is_received_all_the_same"),
    ("B-14", "b_14_diagnosis_and_estimate_are_free"),
    ("B-15", "b_15_out_of_warranty_the_customer_hears_the_cost_first"),
    ("B-16", "b_16_out_of_warranty_nothing_goes_on_without_consent"),
    ("B-17", "b_17_dead_on_arrival_by_manufacturing_defect_is_replaced"),
    ("B-18", "b_18_dead_on_arrival_costs_nothing"),
    ("B-19", "b_19_dead_on_arrival_ships_free_both_ways"),
    ("B-20", "b_20_advance_replacement_within_30_days_of_the_purchase"),
    ("B-21", "b_21_the_advance_is_charged_before_it_leaves"),
    ("B-22", "b_22_the_advance_is_given_back_once_the_original_is_back_and_defective"),
    ("B-23", "b_23_a_direct_purchase_is_reimbursed_to_the_customer"),
    ("B-24", "b_24_a_purchase_through_a_distributor_is_reimbursed_there"),
    ("B-25", "b_25_an_advance_request_needs_number_and_proof"),
    ("B-26", "b_26_no_fault_found_goes_back_at_our_cost"),
    ("B-27", "b_27_an_incomplete_advance_unit_earns_no_credit"),
    ("B-28", "b_28_the_customer_may_keep_the_advance_unit"),
    ("B-29", "b_29_an_upgrade_goes_to_the_sales_representative"),
    ("B-30", "b_30_questions_go_to_the_rma_staff"),
    ("B-31", "b_31_our_or_the_carriers_fault_goes_through_sales"),
    ("B-32", "b_32_the_customers_change_of_mind_goes_through_sales"),
    ("B-33", "b_33_sales_and_the_rma_department_replace_and_fetch"),
    ("B-34", "b_34_a_number_for_each_of_the_six_reasons"),
    ("B-35", "b_35_a_call_tag_for_the_six_reasons"),
    ("B-36", "b_36_unwanted_products_come_back_within_30_days"),
    ("B-37", "b_37_unwanted_needs_the_benchs_working"),
    ("B-38", "b_38_a_restocking_fee_for_what_the_list_names"),
    ("B-39", "b_39_the_warranty_is_void_for_what_the_list_names"),
    ("B-40", "b_40_no_fee_without_evidence"),
    ("B-41", "b_41_arrived_damaged_opens_a_carrier_claim"),
    ("B-42", "b_42_an_unknown_channel_holds_every_credit"),
    ("B-43", "b_43_the_purchase_is_proven_and_not_after_the_receipt"),
    ("B-44", "b_44_one_final_message_for_each_rma"),
    ("C-01", "c_01_no_support_request_holds_the_box"),
    ("C-02", "c_02_the_request_names_the_model"),
    ("C-03", "c_03_the_mac_identifies_in_any_spelling"),
    ("C-04", "c_04_the_request_names_the_versions"),
    ("C-05", "c_05_the_request_shows_how_it_fails"),
    ("C-06", "c_06_every_paper_says_to_back_up_the_data"),
    ("C-07", "c_07_questions_go_to_the_sales_representative"),
    ("C-08", "c_08_a_missing_preliminary_diagnosis_is_said"),
    ("C-09", "c_09_a_closed_request_holds_the_unit"),
    ("C-10", "c_10_a_suspected_hardware_failure_goes_to_sales_once"),
    ("C-11", "c_11_out_of_warranty_needs_consent_before_the_return"),
    ("C-12", "c_12_no_rma_number_before_the_approval"),
    ("C-13", "c_13_the_number_stands_outside_on_the_box"),
    ("C-14", "c_14_packaging_is_graded"),
    ("C-15", "c_15_damage_from_bad_packaging_is_the_customers"),
    ("C-16", "c_16_the_customer_pays_to_the_service_centre"),
    ("C-17", "c_17_a_valid_claim_goes_back_at_our_cost"),
    ("C-18", "c_18_sales_verifies_an_unknown_warranty"),
    ("C-19", "c_19_no_bench_before_the_check_for_customer_damage"),
    ("C-20", "c_20_impact_liquid_disassembly_and_others_are_the_customers"),
    ("C-21", "c_21_a_defect_in_warranty_is_free"),
    ("C-22", "c_22_out_of_warranty_is_quoted"),
    ("C-23", "c_23_customer_damage_is_quoted_in_warranty_too"),
    ("C-24", "c_24_a_quoted_repair_waits_for_approval_or_order"),
    ("C-25", "c_25_a_quotation_is_valid_for_30_days"),
    ("C-26", "c_26_no_repair_before_the_failure_analysis"),
    ("C-27", "c_27_an_old_approval_does_not_cover_a_revised_quotation"),
    ("C-28", "c_28_the_repair_is_suspended_meanwhile"),
    ("C-29", "c_29_the_inspection_fee_is_a_named_persons_yes_or_no"),
    ("C-30", "c_30_the_return_shipping_is_a_named_persons_yes_or_no"),
    ("C-31", "c_31_repaired_units_ship_after_burn_in"),
    ("C-32", "c_32_repaired_units_ship_after_the_inspection"),
    ("C-33", "c_33_a_repair_is_closed_with_its_report"),
    ("C-34", "c_34_paid_repairs_go_back_at_the_customers_cost"),
    ("D-01", "d_01_the_help_desk_comes_first"),
    ("D-02", "d_02_no_number_before_support_has_tried_from_afar"),
    ("D-03", "d_03_no_return_without_an_rma_number"),
    ("D-04", "d_04_an_rma_is_valid_for_30_days"),
    ("D-05", "d_05_uncovered_products_are_charged_material_and_labour"),
    ("D-06", "d_06_a_service_plan_covers_like_the_warranty"),
    ("D-07", "d_07_packaging_is_graded"),
    ("D-08", "d_08_damage_from_bad_packaging_is_the_customers"),
    ("D-09", "d_09_improper_handling_is_the_customers"),
    ("D-10", "d_10_to_the_published_address_unless_support_says_otherwise"),
    ("D-11", "d_11_papers_without_the_number_are_a_deviation"),
    ("D-12", "d_12_the_number_stands_in_every_subject"),
    ("D-13", "d_13_every_container_bears_the_number"),
    ("D-14", "d_14_the_recertification_fee_is_a_named_persons_yes_or_no"),
    ("D-15", "d_15_credit_is_asked_for_within_30_days_of_the_purchase"),
    ("D-16", "d_16_not_original_packaging_is_a_deviation"),
    ("D-17", "d_17_not_like_new_is_a_deviation"),
    ("D-18", "d_18_the_receipt_is_the_log"),
    ("D-19", "d_19_the_problem_is_analysed"),
    ("D-20", "d_20_repaired_within_ten_business_days"),
    ("D-21", "d_21_saturdays_and_sundays_do_not_count"),
    ("D-22", "d_22_what_works_is_repackaged_and_returned"),
    ("D-23", "d_23_nothing_is_closed_before_the_customer_is_told"),
    ("D-24", "d_24_closed_when_repaired_shipped_and_told"),
    ("D-25", "d_25_covered_products_go_back_at_our_cost"),
    ("D-26", "d_26_uncovered_products_go_back_at_the_customers_cost"),
    ("D-27", "d_27_the_rma_mail_names_the_version_of_the_terms"),
    ("D-28", "d_28_an_rma_is_judged_by_the_version_it_was_issued_under"),
    ("D-29", "d_29_complete_by_its_list_and_nothing_beside_it"),
    ("D-30", "d_30_the_contact_stands_on_every_customer_paper"),
    ("E-01", "e_01_received_within_14_days_of_the_creation"),
    ("E-02", "e_02_an_end_clients_return_is_held"),
    ("E-03", "e_03_the_partner_pays_both_ways"),
    ("E-04", "e_04_dead_on_arrival_is_not_at_the_partners_cost"),
    ("E-05", "e_05_in_its_entirety_as_the_ticket_says"),
    ("E-06", "e_06_what_is_not_on_the_rma_is_set_aside"),
    ("E-07", "e_07_the_sender_hears_that_its_return_is_not_guaranteed"),
    ("E-08", "e_08_every_update_of_the_ticket_is_told"),
    ("E-09", "e_09_the_resolution_is_told_once"),
    ("E-10", "e_10_every_rma_is_standard_or_advanced"),
    ("E-11", "e_11_bought_within_30_days_is_advanced"),
    ("E-12", "e_12_the_advance_unit_leaves_before_the_original_is_back"),
    ("E-13", "e_13_packaging_is_graded"),
    ("E-14", "e_14_damage_on_the_way_is_never_ours"),
    ("E-15", "e_15_the_container_bears_the_number"),
    ("E-16", "e_16_without_a_valid_number_it_is_rejected"),
    ("E-17", "e_17_back_to_the_address_on_its_label"),
    ("E-18", "e_18_the_address_on_the_ticket_goes_first"),
    ("E-19", "e_19_no_account_no_return_shipping"),
    ("E-20", "e_20_a_new_account_is_registered_first"),
    ("E-21", "e_21_staff_create_the_rma_for_who_calls_or_writes"),
    ("E-22", "e_22_the_ticket_describes_the_problem"),
    ("E-23", "e_23_the_ticket_names_the_serial_numbers"),
    ("E-24", "e_24_the_answer_bears_the_number_and_the_address"),
    ("E-25", "e_25_the_number_is_visible_on_the_label"),
    ("E-26", "e_26_the_address_label_has_the_number_in_its_attn_line"),
    ("E-27", "e_27_each_criterion_alone_is_not_accepted"),
    ("E-28", "e_28_rejected_goods_go_back_at_the_partners_cost"),
    ("E-29", "e_29_no_replacement_before_the_inspection"),
    ("E-30", "e_30_what_works_goes_back"),
    ("E-31", "e_31_what_works_goes_back_at_the_clients_cost"),
    ("E-32", "e_32_fixed_or_replaced_goes_to_the_reseller"),
    ("E-33", "e_33_nothing_is_closed_without_its_resolution"),
    ("E-34", "e_34_nothing_is_closed_without_its_tracking_number"),
    ("E-35", "e_35_a_rejected_shipment_is_recorded_with_time_carrier_number_and_reason"),
    ("E-36", "e_36_the_sender_hears_what_failed"),
    ("E-37", "e_37_it_stands_on_the_list_until_it_is_scanned_out"),
];

/// What stands in a program file and is no rule of the catalogue, or one that no verdict proves alone:
/// the first letter of the file's rules -> the test that asks for all of it.
pub const DOCK: [(char, &str); 5] = [
    ('A', "dock::voip_reseller"),
    ('B', "dock::security_dvr"),
    ('C', "dock::unex"),
    ('D', "dock::server_technology"),
    ('E', "dock::smartwitness"),
];

/// Rules that no verdict can prove alone, each with what it waits for.
fn catalogue() -> impl Iterator<Item = String> {
    CATALOGUE.iter().flat_map(|(process, rules)| (1..=*rules).map(move |n| format!("{process}-{n:02}")))
}

#[test]
fn every_rule_is_proven_once() {
    assert_eq!(catalogue().count(), 213);
    for id in catalogue() {
        let proven = PROVEN.iter().filter(|(p, _)| *p == id).count();
        assert_eq!(proven, 1, "{id} stands {proven} times as proven");
    }
    assert_eq!(PROVEN.len(), 213, "an id that the catalogue does not have");
}

#[test]
fn every_test_in_the_ledger_exists_and_is_about_its_rule() {
    for (id, test) in PROVEN {
        let source = SOURCES.iter().find(|source| source.contains(&format!("#[test]\nfn {test}() {{")));
        let source = source.unwrap_or_else(|| panic!("{id}: no test {test}"));
        assert!(test.starts_with(&id.to_lowercase().replace('-', "_")), "{id}: {test} is named for another rule");
        let body = source.split(&format!("fn {test}()")).nth(1).unwrap_or("");
        let body = body.split("#[test]").next().unwrap_or("");
        assert!(
            body.contains("assert") || body.contains("cites") || body.contains("brand_row") || body.contains("back("),
            "{id}: {test} asserts nothing"
        );
    }
}

#[test]
fn every_rule_a_program_cites_is_in_the_catalogue() {
    for (file, text) in backdock::program::SHIPPED {
        for cited in text.split("rule = \"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(cited == "intake" || catalogue().any(|id| id == cited), "{file} cites {cited}");
        }
    }
}

#[test]
fn what_stands_beside_the_rules_has_its_tests() {
    let source = include_str!("dock.rs");
    for (letter, test) in DOCK {
        let name = test.strip_prefix("dock::").unwrap();
        assert!(source.contains(&format!("#[test]\nfn {name}() {{\n    dock(\"{letter}\")")), "no test {test}");
    }
}
