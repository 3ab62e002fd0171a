// A stub: the few declarations of Apple's UIKit that this package and its documentation use, so that they can be
// type-checked where there is none. Written after Apple's documentation; it does nothing.

import Foundation

@MainActor open class UIWindow {}

@MainActor open class UIScene {}

@MainActor open class UIWindowScene: UIScene {
    public var keyWindow: UIWindow?
}

@MainActor open class UIApplication {
    public static let shared = UIApplication()
    public var connectedScenes: Set<UIScene> = []
}

extension UIScene: Hashable {
    public nonisolated static func == (one: UIScene, other: UIScene) -> Bool { one === other }
    public nonisolated func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
