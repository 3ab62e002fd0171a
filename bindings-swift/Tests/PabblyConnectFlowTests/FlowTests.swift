import Testing

@testable import PabblyConnectFlow

@Test func theModuleLoads() {}
